//! Every colour and every distance of the window.

use eframe::egui::{self, Color32, CornerRadius, FontFamily, FontId, Margin, Stroke, TextStyle, Theme, Vec2, vec2};

/// Distance between neighbouring things, points.
pub const GAP: f32 = 6.0;
/// Distance between groups, points.
pub const GROUP_GAP: f32 = 12.0;
/// Width of the left column at the start, points.
pub const LEFT_WIDTH: f32 = 330.0;
/// Width of the right column at the start, points.
pub const RIGHT_WIDTH: f32 = 316.0;
/// Width of the labels before a field, points.
pub const LABEL_WIDTH: f32 = 128.0;
/// Rail of a slider, points.
pub const SLIDER_WIDTH: f32 = 72.0;
/// Height of a row of the table of units, points.
pub const ROW_HEIGHT: f32 = 20.0;
/// Size of the title of a panel, points.
pub const TITLE: f32 = 15.5;
/// Size of small text, points.
pub const SMALL: f32 = 11.5;

/// Colours of one theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    /// Behind panels.
    pub panel: Color32,
    /// Behind plots, fields and pictures.
    pub well: Color32,
    /// Behind buttons.
    pub button: Color32,
    /// Behind buttons under the pointer.
    pub button_hover: Color32,
    /// Lines between things.
    pub line: Color32,
    /// Text.
    pub text: Color32,
    /// Text of lesser weight; still readable (contrast above 4.5 on `panel`).
    pub weak: Color32,
    /// What is selected or active.
    pub accent: Color32,
    /// Text on `accent`.
    pub on_accent: Color32,
    /// Curves of data.
    pub data: Color32,
    /// Where a stimulus was on the screen.
    pub shade: Color32,
    /// The playhead.
    pub playhead: Color32,
    /// Something failed.
    pub error: Color32,
    /// Behind a message that something failed.
    pub error_fill: Color32,
    /// Something to know before believing a result.
    pub caution: Color32,
}

/// Dark theme.
pub const DARK: Palette = Palette {
    panel: Color32::from_rgb(0x1c, 0x1f, 0x24),
    well: Color32::from_rgb(0x12, 0x14, 0x18),
    button: Color32::from_rgb(0x31, 0x36, 0x3f),
    button_hover: Color32::from_rgb(0x3f, 0x46, 0x52),
    line: Color32::from_rgb(0x37, 0x3c, 0x45),
    text: Color32::from_rgb(0xe4, 0xe7, 0xeb),
    weak: Color32::from_rgb(0xa6, 0xae, 0xba),
    accent: Color32::from_rgb(0x4d, 0xa3, 0xf5),
    on_accent: Color32::from_rgb(0x08, 0x12, 0x1c),
    data: Color32::from_rgb(0xf5, 0xa8, 0x4b),
    shade: Color32::from_rgba_unmultiplied_const(0x8f, 0xa3, 0xbf, 34),
    playhead: Color32::from_rgb(0x6f, 0xd6, 0x9b),
    error: Color32::from_rgb(0xff, 0x8f, 0x87),
    error_fill: Color32::from_rgb(0x4a, 0x20, 0x22),
    caution: Color32::from_rgb(0xf0, 0xc9, 0x5c),
};

/// Light theme.
pub const LIGHT: Palette = Palette {
    panel: Color32::from_rgb(0xf4, 0xf5, 0xf7),
    well: Color32::from_rgb(0xff, 0xff, 0xff),
    button: Color32::from_rgb(0xe1, 0xe4, 0xe9),
    button_hover: Color32::from_rgb(0xd0, 0xd6, 0xde),
    line: Color32::from_rgb(0xc9, 0xce, 0xd6),
    text: Color32::from_rgb(0x1b, 0x1f, 0x25),
    weak: Color32::from_rgb(0x55, 0x5d, 0x69),
    accent: Color32::from_rgb(0x17, 0x67, 0xc4),
    on_accent: Color32::from_rgb(0xff, 0xff, 0xff),
    data: Color32::from_rgb(0xb8, 0x4e, 0x08),
    shade: Color32::from_rgba_unmultiplied_const(0x50, 0x6a, 0x90, 28),
    playhead: Color32::from_rgb(0x0f, 0x80, 0x46),
    error: Color32::from_rgb(0xa8, 0x1c, 0x1c),
    error_fill: Color32::from_rgb(0xfb, 0xe1, 0xdf),
    caution: Color32::from_rgb(0x8a, 0x5a, 0x00),
};

impl Palette {
    /// The palette of the theme that `ui` is drawn in.
    pub fn of(ui: &egui::Ui) -> Self {
        if ui.visuals().dark_mode { DARK } else { LIGHT }
    }

    /// Colour of the heat map for `0..=1`, dark to bright; the same in both themes so that figures compare.
    pub fn heat(value: f32) -> Color32 {
        let at = value.clamp(0.0, 1.0) * (HEAT.len() - 1) as f32;
        let low = (at as usize).min(HEAT.len() - 2);
        let part = at - low as f32;
        let mix = |a: u8, b: u8| (f32::from(a) + (f32::from(b) - f32::from(a)) * part).round() as u8;
        let ([r0, g0, b0], [r1, g1, b1]) = (HEAT[low], HEAT[low + 1]);
        Color32::from_rgb(mix(r0, r1), mix(g0, g1), mix(b0, b1))
    }
}

/// Dark violet over teal to yellow, of evenly rising lightness.
const HEAT: [[u8; 3]; 9] = [
    [0x1a, 0x0f, 0x33],
    [0x2f, 0x22, 0x66],
    [0x35, 0x43, 0x82],
    [0x2c, 0x66, 0x8a],
    [0x24, 0x88, 0x8a],
    [0x2f, 0xa8, 0x7e],
    [0x69, 0xc5, 0x62],
    [0xb3, 0xda, 0x43],
    [0xfb, 0xea, 0x4a],
];

/// Sets fonts, spacing and both themes.
pub fn apply(ctx: &egui::Context) {
    for (theme, palette) in [(Theme::Dark, DARK), (Theme::Light, LIGHT)] {
        ctx.style_mut_of(theme, |style| {
            style.text_styles = [
                (TextStyle::Small, FontId::new(SMALL, FontFamily::Proportional)),
                (TextStyle::Body, FontId::new(13.5, FontFamily::Proportional)),
                (TextStyle::Button, FontId::new(13.5, FontFamily::Proportional)),
                (TextStyle::Heading, FontId::new(17.0, FontFamily::Proportional)),
                (TextStyle::Monospace, FontId::new(12.5, FontFamily::Monospace)),
            ]
            .into();
            style.spacing.item_spacing = vec2(GAP, GAP);
            style.spacing.button_padding = vec2(8.0, 3.0);
            style.spacing.interact_size = Vec2::new(36.0, 22.0);
            style.spacing.slider_width = SLIDER_WIDTH;
            style.spacing.window_margin = Margin::same(12);
            style.spacing.tooltip_width = 320.0;
            style.animation_time = 0.08;
            colour(&mut style.visuals, &palette);
        });
    }
}

fn colour(visuals: &mut egui::Visuals, palette: &Palette) {
    visuals.panel_fill = palette.panel;
    visuals.window_fill = palette.panel;
    visuals.window_stroke = Stroke::new(1.0, palette.line);
    visuals.extreme_bg_color = palette.well;
    visuals.text_edit_bg_color = Some(palette.well);
    visuals.code_bg_color = palette.well;
    visuals.faint_bg_color = palette.well;
    visuals.weak_text_color = Some(palette.weak);
    visuals.hyperlink_color = palette.accent;
    visuals.error_fg_color = palette.error;
    visuals.warn_fg_color = palette.caution;
    visuals.selection.bg_fill = palette.accent;
    visuals.selection.stroke = Stroke::new(1.0, palette.on_accent);
    visuals.slider_trailing_fill = true;
    let radius = CornerRadius::same(4);
    let widgets = &mut visuals.widgets;
    for (widget, fill, text) in [
        (&mut widgets.noninteractive, palette.panel, palette.text),
        (&mut widgets.inactive, palette.button, palette.text),
        (&mut widgets.hovered, palette.button_hover, palette.text),
        (&mut widgets.active, palette.button_hover, palette.text),
        (&mut widgets.open, palette.button_hover, palette.text),
    ] {
        widget.bg_fill = fill;
        widget.weak_bg_fill = fill;
        widget.fg_stroke = Stroke::new(1.0, text);
        widget.bg_stroke = Stroke::NONE;
        widget.corner_radius = radius;
        widget.expansion = 0.0;
    }
    widgets.noninteractive.bg_stroke = Stroke::new(1.0, palette.line);
    widgets.hovered.bg_stroke = Stroke::new(1.0, palette.weak);
    widgets.active.bg_stroke = Stroke::new(1.0, palette.accent);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance of sRGB, as the web accessibility guidelines define it.
    fn luminance(colour: Color32) -> f32 {
        let linear = |v: u8| {
            let v = f32::from(v) / 255.0;
            if v <= 0.040_45 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(colour.r()) + 0.7152 * linear(colour.g()) + 0.0722 * linear(colour.b())
    }

    fn contrast(a: Color32, b: Color32) -> f32 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn every_text_is_readable_on_what_lies_behind_it() {
        for palette in [DARK, LIGHT] {
            for (text, behind) in [
                (palette.text, palette.panel),
                (palette.text, palette.button),
                (palette.text, palette.button_hover),
                (palette.weak, palette.panel),
                (palette.weak, palette.well),
                (palette.on_accent, palette.accent),
                (palette.error, palette.error_fill),
                (palette.error, palette.panel),
                (palette.caution, palette.panel),
                (palette.data, palette.well),
            ] {
                let found = contrast(text, behind);
                // 4.5 is the AA threshold of the web accessibility guidelines for text of this size.
                assert!(found >= 4.5, "contrast {found} of {text:?} on {behind:?}");
            }
        }
    }

    #[test]
    fn the_heat_map_gets_brighter_with_the_response() {
        let steps: Vec<f32> = (0..=16).map(|i| luminance(Palette::heat(i as f32 / 16.0))).collect();
        assert!(steps.windows(2).all(|pair| pair[0] < pair[1]), "{steps:?}");
    }
}
