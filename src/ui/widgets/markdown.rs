//! Headings, paragraphs, lists, tables and code: as much of Markdown as the user guide needs.

use eframe::egui::{Frame, Grid, Label, RichText, ScrollArea, TextFormat, TextStyle, Ui, text::LayoutJob};

use crate::ui::theme::{GAP, Palette};

/// One block of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// Level 1 to 3, and the words.
    Heading(usize, String),
    /// Lines joined.
    Paragraph(String),
    /// One point of a list.
    Item(String),
    /// Rows of cells, the heads first.
    Table(Vec<Vec<String>>),
    /// Verbatim.
    Code(String),
}

/// Splits a text into blocks.
pub fn parse(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let trimmed = line.trim();
        if trimmed.starts_with("```") {
            blocks.extend(open.take());
            let code: Vec<&str> = lines.by_ref().take_while(|line| !line.trim().starts_with("```")).collect();
            blocks.push(Block::Code(code.join("\n")));
        } else if trimmed.is_empty() {
            blocks.extend(open.take());
        } else if let Some((marks, words)) = trimmed.split_once(' ').filter(|(m, _)| m.bytes().all(|b| b == b'#')) {
            blocks.extend(open.take());
            blocks.push(Block::Heading(marks.len().min(3), words.to_owned()));
        } else if let Some(row) = trimmed.strip_prefix('|') {
            let row: Vec<String> = row.trim_end_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
            // The line below the heads says nothing.
            let is_rule = row.iter().all(|cell| cell.contains('-') && cell.bytes().all(|b| b == b'-' || b == b':'));
            match &mut open {
                Some(Block::Table(_)) if is_rule => {}
                Some(Block::Table(rows)) => rows.push(row),
                _ => blocks.extend(open.replace(Block::Table(vec![row]))),
            }
        } else if let Some(words) = trimmed.strip_prefix("- ") {
            blocks.extend(open.replace(Block::Item(words.to_owned())));
        } else {
            match &mut open {
                Some(Block::Paragraph(words) | Block::Item(words)) => {
                    words.push(' ');
                    words.push_str(trimmed);
                }
                _ => blocks.extend(open.replace(Block::Paragraph(trimmed.to_owned()))),
            }
        }
    }
    blocks.extend(open);
    blocks
}

/// Draws blocks below one another.
pub fn show(ui: &mut Ui, blocks: &[Block]) {
    let palette = Palette::of(ui);
    for (number, block) in blocks.iter().enumerate() {
        match block {
            Block::Table(rows) => {
                let id = ui.scope_id().with(("table", number));
                ScrollArea::horizontal().id_salt(id).show(ui, |ui| {
                    Grid::new(id).striped(true).spacing([2.0 * GAP, GAP / 2.0]).show(ui, |ui| {
                        for (index, row) in rows.iter().enumerate() {
                            for cell in row {
                                let text = RichText::new(cell).small();
                                ui.label(if index == 0 { text.color(palette.weak) } else { text });
                            }
                            ui.end_row();
                        }
                    });
                });
            }
            Block::Heading(level, words) => {
                ui.add_space(if *level == 1 { 0.0 } else { GAP });
                let size = [19.0, 15.5, 14.0][level.saturating_sub(1).min(2)];
                ui.label(RichText::new(words).size(size).strong());
            }
            Block::Paragraph(words) => {
                ui.add(Label::new(spans(ui, words, &palette)).wrap());
            }
            Block::Item(words) => {
                ui.horizontal_top(|ui| {
                    ui.add_space(GAP);
                    ui.label("•");
                    ui.add(Label::new(spans(ui, words, &palette)).wrap());
                });
            }
            Block::Code(code) => {
                Frame::new().fill(palette.well).inner_margin(GAP).corner_radius(4.0).show(ui, |ui| {
                    ui.set_min_width(ui.available_width());
                    ui.label(RichText::new(code).monospace());
                });
            }
        }
    }
}

/// `code`, **strong** and *emphasis* within a line.
fn spans(ui: &Ui, words: &str, palette: &Palette) -> LayoutJob {
    let body = TextStyle::Body.resolve(ui.style());
    let code = TextStyle::Monospace.resolve(ui.style());
    let mut job = LayoutJob::default();
    for (index, part) in words.split('`').enumerate() {
        if index % 2 == 1 {
            let format = TextFormat { background: palette.well, ..TextFormat::simple(code.clone(), palette.text) };
            job.append(part, 0.0, format);
            continue;
        }
        for (index, part) in part.split("**").enumerate() {
            if index % 2 == 1 {
                job.append(part, 0.0, TextFormat::simple(body.clone(), palette.accent));
                continue;
            }
            // A single star is a star.
            let pairs = part.matches('*').count() / 2;
            for (index, part) in part.splitn(2 * pairs + 1, '*').enumerate() {
                let format = TextFormat { italics: index % 2 == 1, ..TextFormat::simple(body.clone(), palette.text) };
                job.append(part, 0.0, format);
            }
        }
    }
    job
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_falls_into_its_blocks() {
        let text = "# Title\nOne\ntwo.\n\n- a\n  b\n- c\n\n```toml\nx = 1\n\ny = 2\n```\n| h | i |\n|---|--:|\n| 1 | -2 |\n## Next";
        assert_eq!(
            parse(text),
            [
                Block::Heading(1, "Title".into()),
                Block::Paragraph("One two.".into()),
                Block::Item("a b".into()),
                Block::Item("c".into()),
                Block::Code("x = 1\n\ny = 2".into()),
                Block::Table(vec![vec!["h".into(), "i".into()], vec!["1".into(), "-2".into()]]),
                Block::Heading(2, "Next".into()),
            ]
        );
    }
}
