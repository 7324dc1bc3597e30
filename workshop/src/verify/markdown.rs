//! What a Markdown file holds that can be proven: headings, links, code blocks.

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

/// The provable parts of a document, each in the order of the text.
#[derive(Debug, Default)]
pub struct Document {
    pub headings: Vec<String>,
    /// As written: `../README.md#map`, `#step-1`, `https://…`.
    pub links: Vec<String>,
    pub blocks: Vec<Block>,
}

/// A fenced code block.
#[derive(Debug, PartialEq)]
pub struct Block {
    /// What follows the opening fence, such as `sh` or `mermaid`.
    pub language: String,
    pub text: String,
}

impl Document {
    pub fn parse(text: &str) -> Self {
        let mut document = Self::default();
        let (mut in_heading, mut in_block) = (false, false);
        for event in Parser::new(text) {
            match event {
                Event::Start(Tag::Heading { .. }) => {
                    in_heading = true;
                    document.headings.push(String::new());
                }
                Event::End(TagEnd::Heading(_)) => in_heading = false,
                Event::Start(Tag::CodeBlock(kind)) => {
                    in_block = true;
                    let language = match kind {
                        CodeBlockKind::Fenced(language) => language.to_string(),
                        CodeBlockKind::Indented => String::new(),
                    };
                    document.blocks.push(Block { language, text: String::new() });
                }
                Event::End(TagEnd::CodeBlock) => in_block = false,
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    document.links.push(dest_url.to_string());
                }
                Event::Text(text) | Event::Code(text) => {
                    if let Some(heading) = document.headings.last_mut().filter(|_| in_heading) {
                        heading.push_str(&text);
                    }
                    if let Some(block) = document.blocks.last_mut().filter(|_| in_block) {
                        block.text.push_str(&text);
                    }
                }
                _ => {}
            }
        }
        document
    }

    pub fn has_anchor(&self, wanted: &str) -> bool {
        self.headings.iter().any(|heading| anchor(heading) == wanted)
    }
}

/// The anchor that GitHub gives to a heading.
pub fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    heading.to_lowercase().chars().filter(kept).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_links_and_blocks_are_found() {
        let text = "# A `b`: c!\n\n[x](y.md#z) ![p](i.png)\n\n```sh\nrun\nthis\n```\n";
        let document = Document::parse(text);
        assert_eq!(document.headings, ["A b: c!"]);
        assert_eq!(document.links, ["y.md#z", "i.png"]);
        assert_eq!(document.blocks, [Block { language: "sh".into(), text: "run\nthis\n".into() }]);
        assert!(document.has_anchor("a-b-c"));
    }

    #[test]
    fn anchors_are_those_of_github() {
        assert_eq!(anchor("Step 1: Check and List"), "step-1-check-and-list");
        assert_eq!(anchor("What's `new`? (0.14)"), "whats-new-014");
    }
}
