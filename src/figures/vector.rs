//! Marks as SVG with live text, in points on the page.

use std::fmt::Write;

use plotters::style::RGBColor;

use super::canvas::{Align, Mark, Point};
use super::page::About;
use super::style::{self, POINT_MM};

/// Marks on white paper of this width and height, mm.
pub fn svg(marks: &[Mark], size_mm: (f64, f64), about: &About) -> String {
    let (width, height) = (number(size_mm.0 / POINT_MM), number(size_mm.1 / POINT_MM));
    let (title, description) = (escaped(&about.title), escaped(&about.description));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}mm\" height=\"{}mm\" viewBox=\"0 0 {width} {height}\">\n\
         <title>{title}</title>\n<desc>{description}</desc>\n\
         <metadata><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" \
         xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><rdf:Description rdf:about=\"\"><dc:format>image/svg+xml</dc:format>\
         <dc:title>{title}</dc:title><dc:description>{description}</dc:description><dc:creator>{}</dc:creator>\
         </rdf:Description></rdf:RDF></metadata>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
         <g font-family=\"{}\" stroke-linecap=\"round\" stroke-linejoin=\"round\" xml:space=\"preserve\">\n",
        number(size_mm.0),
        number(size_mm.1),
        escaped(&about.program),
        style::FAMILY,
    );
    for mark in marks {
        // Memory can be written to.
        let _ = draw(&mut svg, mark);
        svg.push('\n');
    }
    svg + "</g>\n</svg>\n"
}

fn draw(svg: &mut String, mark: &Mark) -> std::fmt::Result {
    match mark {
        Mark::Line { points, width_pt, colour } => write!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\"/>",
            places(points),
            hex(*colour),
            number(*width_pt)
        ),
        Mark::Polygon { points, colour, alpha } => {
            write!(svg, "<polygon points=\"{}\" fill=\"{}\"{}/>", places(points), hex(*colour), opacity(*alpha))
        }
        Mark::Rectangle { area, colour } => {
            let [x, y, width, height] =
                [area.left, area.top, area.width(), area.height()].map(|mm| number(mm / POINT_MM));
            write!(svg, "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{}\"/>", hex(*colour))
        }
        Mark::Dot { centre, radius_mm, colour, alpha } => {
            let [x, y, radius] = [centre.0, centre.1, *radius_mm].map(|mm| number(mm / POINT_MM));
            let (colour, opacity) = (hex(*colour), opacity(*alpha));
            write!(svg, "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" fill=\"{colour}\"{opacity}/>")
        }
        Mark::Text { at, text, look } => {
            let [x, y] = [at.0, at.1].map(|mm| number(mm / POINT_MM));
            let anchor = match look.align {
                Align::Left => "",
                Align::Centre => " text-anchor=\"middle\"",
                Align::Right => " text-anchor=\"end\"",
            };
            // The built-in face is a light one.
            let weight = if look.bold { 700 } else { 300 };
            let turned = if look.upwards { format!(" transform=\"rotate(-90 {x} {y})\"") } else { String::new() };
            write!(
                svg,
                "<text x=\"{x}\" y=\"{y}\" font-size=\"{}\" font-weight=\"{weight}\" fill=\"{}\"{anchor}{turned}>{}</text>",
                number(look.size_pt),
                hex(look.colour),
                escaped(text)
            )
        }
    }
}

fn places(points: &[Point]) -> String {
    let place = |&(x, y): &Point| format!("{},{}", number(x / POINT_MM), number(y / POINT_MM));
    points.iter().map(place).collect::<Vec<_>>().join(" ")
}

/// To a hundredth, without zeros at the end.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    let short = text.trim_end_matches('0').trim_end_matches('.');
    if short == "-0" { "0".to_owned() } else { short.to_owned() }
}

fn hex(RGBColor(red, green, blue): RGBColor) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn opacity(alpha: f64) -> String {
    if alpha < 1.0 { format!(" fill-opacity=\"{}\"", number(alpha)) } else { String::new() }
}

/// Text inside an XML element, without the control characters that XML does not know.
fn escaped(text: &str) -> String {
    let known = text.chars().map(|c| if c.is_control() || c == '\u{fffe}' || c == '\u{ffff}' { ' ' } else { c });
    known.collect::<String>().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
