//! Arrows that point where a stimulus moves: 0 degrees to the right, 90 up.

use eframe::egui::{Color32, Painter, Pos2, Response, Role, Sense, Shape, Stroke, Ui, Vec2, WidgetInfo, vec2};

/// Unit vector of a direction on the screen, where y points down.
pub fn towards(direction_deg: f64) -> Vec2 {
    let angle = direction_deg.to_radians();
    vec2(angle.cos() as f32, -angle.sin() as f32)
}

/// Draws an arrow of `length` centred at `centre`.
pub fn paint(painter: &Painter, centre: Pos2, length: f32, direction_deg: f64, stroke: Stroke) {
    let along = towards(direction_deg);
    let (tail, tip) = (centre - along * length / 2.0, centre + along * length / 2.0);
    let head = (length * 0.38).min(6.0);
    let across = vec2(-along.y, along.x);
    painter.line_segment([tail, tip], stroke);
    for side in [-1.0, 1.0] {
        painter.line_segment([tip, tip - along * head + across * side * head * 0.7], stroke);
    }
}

/// A filled triangle that points in a direction.
pub fn triangle(painter: &Painter, centre: Pos2, radius: f32, direction_deg: f64, colour: Color32) {
    let corners = [0.0, 120.0, 240.0].map(|turn| centre + towards(direction_deg + turn) * radius);
    painter.add(Shape::convex_polygon(corners.to_vec(), colour, Stroke::NONE));
}

/// A small arrow in a line of text.
pub fn glyph(ui: &mut Ui, direction_deg: f64, colour: Color32) -> Response {
    let side = ui.spacing().interact_size.y;
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(side), Sense::hover());
    paint(ui.painter(), rect.center(), side * 0.72, direction_deg, Stroke::new(1.8, colour));
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, format!("Arrow at {direction_deg:.0}°")));
    response.on_hover_text("0° moves to the right, 90° up, counter-clockwise")
}

/// A dial: drag or click to set a direction; 15-degree steps while Shift is held.
pub fn dial(ui: &mut Ui, label: &str, direction_deg: &mut f64, colour: Color32) -> Response {
    let (rect, mut response) = ui.allocate_exact_size(Vec2::splat(46.0), Sense::click_and_drag());
    if let Some(pointer) = response.interact_pointer_pos()
        && (response.dragged() || response.clicked())
    {
        let from = pointer - rect.center();
        if from.length() > 3.0 {
            let step = if ui.input(|input| input.modifiers.shift) { 15.0 } else { 1.0 };
            let angle = f64::from((-from.y).atan2(from.x)).to_degrees().rem_euclid(360.0);
            let new = (angle / step).round() * step % 360.0;
            if new != *direction_deg {
                *direction_deg = new;
                response.mark_changed();
            }
        }
    }
    let visuals = ui.style().interact(&response);
    ui.painter().circle(rect.center(), 22.0, ui.visuals().extreme_bg_color, Stroke::new(1.0, visuals.fg_stroke.color));
    paint(ui.painter(), rect.center(), 34.0, *direction_deg, Stroke::new(2.0, colour));
    let value = *direction_deg;
    response.widget_info(|| WidgetInfo::slider(true, value, label));
    response.on_hover_text("Drag to turn, with Shift in steps of 15°; 0° moves to the right, 90° up")
}

/// A rosette with one spoke for each direction of a sweep.
pub fn rosette(ui: &mut Ui, directions_deg: &[f64], colour: Color32) -> Response {
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(46.0), Sense::hover());
    let painter = ui.painter();
    painter.circle_filled(rect.center(), 22.0, ui.visuals().extreme_bg_color);
    // More than 36 spokes would fill the circle: the end points alone say as much.
    let short = directions_deg.len() > 36;
    for &direction in directions_deg {
        let along = towards(direction);
        let inner = if short { 17.0 } else { 6.0 };
        painter.line_segment([rect.center() + along * inner, rect.center() + along * 20.0], Stroke::new(1.3, colour));
        painter.circle_filled(rect.center() + along * 20.0, 1.6, colour);
    }
    let count = directions_deg.len();
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, format!("{count} directions")));
    response.on_hover_text(format!("{count} directions of motion; 0° to the right, 90° up"))
}

/// Directions evenly spaced.
pub fn directions(start: f64, step: f64, count: usize) -> Vec<f64> {
    // A rosette of more than 360 spokes shows no more than one of 360.
    (0..count.min(360)).map(|index| (start + step * index as f64).rem_euclid(360.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ninety_degrees_points_up_on_a_screen_whose_y_points_down() {
        let up = towards(90.0);
        assert!(up.x.abs() < 1e-6 && (up.y + 1.0).abs() < 1e-6, "{up:?}");
        assert!((towards(0.0) - vec2(1.0, 0.0)).length() < 1e-6);
    }
}
