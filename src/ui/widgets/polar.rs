//! Tuning on the circle: the mean response at each direction, with its standard error.

use eframe::egui::{Align2, FontId, Painter, Pos2, Role, Sense, Shape, Stroke, Ui, Vec2, WidgetInfo, vec2};

use super::arrow;
use crate::ui::theme::{Palette, SMALL};

/// A curve on the circle.
pub struct Polar<'a> {
    /// What a screen reader and a test call it.
    pub label: &'a str,
    /// Directions, degrees; 0 to the right, 90 up.
    pub directions_deg: &'a [f64],
    /// Radius at each direction.
    pub mean: &'a [f32],
    /// Standard error at each direction.
    pub sem: Option<&'a [f32]>,
    /// Marked by an arrow on the rim.
    pub preferred_deg: Option<f32>,
}

impl Polar<'_> {
    /// Draws a square as wide as `side`.
    pub fn ui(&self, ui: &mut Ui, side: f32) {
        let palette = Palette::of(ui);
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), side), Sense::hover());
        let painter = ui.painter_at(rect);
        let centre = rect.center();
        let rim = (side / 2.0 - 24.0).max(20.0);
        let top = self.largest();
        let step = nice_step(top);
        let limit = (top / step).ceil().max(1.0) * step;
        let radius = |value: f32| rim * (value / limit).clamp(0.0, 1.0);

        grid(&painter, &palette, centre, rim, limit, step);
        let at = |direction: f64, value: f32| centre + arrow::towards(direction) * radius(value);
        let points: Vec<Pos2> = self.directions_deg.iter().zip(self.mean).map(|(&d, &r)| at(d, r)).collect();
        if points.len() > 2 && self.is_full_circle() {
            for (index, point) in points.iter().enumerate() {
                let next = points[(index + 1) % points.len()];
                let fill = palette.data.gamma_multiply(0.16);
                painter.add(Shape::convex_polygon(vec![centre, *point, next], fill, Stroke::NONE));
            }
            painter.add(Shape::closed_line(points.clone(), Stroke::new(2.0, palette.data)));
        } else {
            for point in &points {
                painter.line_segment([centre, *point], Stroke::new(2.0, palette.data));
            }
        }
        if let Some(sem) = self.sem {
            for ((&direction, &mean), &error) in self.directions_deg.iter().zip(self.mean).zip(sem) {
                let ends = [at(direction, (mean - error).max(0.0)), at(direction, mean + error)];
                painter.line_segment(ends, Stroke::new(1.4, palette.text));
                let across: Vec2 = arrow::towards(direction + 90.0) * 3.0;
                for end in ends {
                    painter.line_segment([end - across, end + across], Stroke::new(1.4, palette.text));
                }
            }
        }
        for point in &points {
            painter.circle_filled(*point, 3.2, palette.data);
        }
        if let Some(preferred) = self.preferred_deg {
            let along = arrow::towards(f64::from(preferred));
            painter.line_segment([centre, centre + along * rim], Stroke::new(1.2, palette.accent));
            arrow::paint(
                &painter,
                centre + along * (rim - 6.0),
                12.0,
                f64::from(preferred),
                Stroke::new(2.2, palette.accent),
            );
        }

        let label = self.label;
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, label));
        if let Some(pointer) = response.hover_pos()
            && let Some(index) = points.iter().position(|point| point.distance(pointer) < 9.0)
        {
            let error = self.sem.and_then(|sem| sem.get(index)).map_or(String::new(), |sem| format!(" ± {sem:.2}"));
            response.on_hover_text(format!(
                "{:.0}°: {:.2}{error} times the unit's mean activity (mean ± s.e.m. over repeats)",
                self.directions_deg[index], self.mean[index]
            ));
        }
    }

    fn largest(&self) -> f32 {
        let top = |index: usize, mean: f32| mean + self.sem.and_then(|sem| sem.get(index)).copied().unwrap_or(0.0);
        let largest = self.mean.iter().enumerate().map(|(index, &mean)| top(index, mean)).fold(0.0, f32::max);
        if largest.is_finite() && largest > 0.0 { largest } else { 1.0 }
    }

    /// Whether the directions go all the way round, so that first and last are neighbours.
    fn is_full_circle(&self) -> bool {
        let Some((first, rest)) = self.directions_deg.split_first() else { return false };
        let Some(last) = rest.last() else { return false };
        let step = (last - first) / rest.len() as f64;
        (last + step - first - 360.0).abs() < step * 0.5
    }
}

fn grid(painter: &Painter, palette: &Palette, centre: Pos2, rim: f32, limit: f32, step: f32) {
    let font = FontId::proportional(SMALL);
    painter.circle_filled(centre, rim, palette.well);
    let rings = (limit / step).round() as usize;
    for ring in 1..=rings {
        painter.circle_stroke(centre, rim * ring as f32 / rings as f32, Stroke::new(1.0, palette.line));
    }
    for spoke in 0..8 {
        let along = arrow::towards(f64::from(spoke) * 45.0);
        painter.line_segment([centre, centre + along * rim], Stroke::new(1.0, palette.line));
    }
    for (direction, anchor) in [
        (0.0, Align2::LEFT_CENTER),
        (90.0, Align2::CENTER_BOTTOM),
        (180.0, Align2::RIGHT_CENTER),
        (270.0, Align2::CENTER_TOP),
    ] {
        let at = centre + arrow::towards(direction) * (rim + 5.0);
        painter.text(at, anchor, format!("{direction:.0}°"), font.clone(), palette.weak);
    }
    for ring in [rings.div_ceil(2), rings] {
        let value = step * ring as f32;
        let at = centre + arrow::towards(67.5) * (rim * ring as f32 / rings as f32);
        painter.text(at, Align2::CENTER_CENTER, format!("{value}"), font.clone(), palette.weak);
    }
}

/// Distance between rings: 1, 2 or 5 times a power of ten, so that two to five rings fit.
fn nice_step(top: f32) -> f32 {
    let power = 10.0_f32.powf(top.log10().floor());
    [0.2, 0.5, 1.0, 2.0].into_iter().map(|part| part * power).find(|step| top / step <= 4.0).unwrap_or(2.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_to_five_rings_fit_whatever_the_responses() {
        for top in [0.003_f32, 0.11, 0.9, 1.0, 1.7, 3.9, 7.2, 9.99, 140.0] {
            let rings = (top / nice_step(top)).ceil();
            assert!((2.0..=5.0).contains(&rings), "{rings} rings for {top}");
        }
    }

    #[test]
    fn twelve_directions_close_the_circle_and_a_half_does_not() {
        let polar = |directions: &[f64]| {
            let mean = vec![1.0; directions.len()];
            Polar { label: "", directions_deg: directions, mean: &mean, sem: None, preferred_deg: None }
                .is_full_circle()
        };
        let full: Vec<f64> = (0..12).map(|i| f64::from(i) * 30.0).collect();
        assert!(polar(&full));
        assert!(!polar(&full[..6]));
        assert!(!polar(&[0.0]));
    }
}
