//! A page taken apart: tags, texts and the embedded JSON.

use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::Value;

/// Elements that have no end.
const VOID: [&str; 4] = ["meta", "br", "hr", "link"];

/// Checks that every tag is closed where it should be, and gives the names of all elements, in order.
pub(crate) fn elements(page: &str) -> Vec<String> {
    let page = without_contents(&without_contents(page, "script"), "style");
    let mut reader = Reader::from_str(&page);
    reader.config_mut().check_end_names = false;
    let (mut open, mut names): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{error} at {}", reader.error_position())) {
            Event::Start(start) => {
                let name = start.name().as_ref().to_owned();
                for attribute in start.html_attributes() {
                    attribute.unwrap_or_else(|error| panic!("an attribute of {name}: {error}"));
                }
                if !VOID.contains(&name.as_str()) {
                    open.push(name.clone());
                }
                names.push(name);
            }
            Event::End(end) => {
                let name = end.name().as_ref().to_owned();
                assert_eq!(
                    open.pop().as_deref(),
                    Some(name.as_str()),
                    "closed out of order at {}",
                    reader.buffer_position()
                );
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert!(open.is_empty(), "not closed: {open:?}");
    names
}

/// Every chart, each checked to be XML by itself.
pub(crate) fn charts(page: &str) -> Vec<&str> {
    let mut charts = Vec::new();
    let mut rest = page;
    while let Some(start) = rest.find("<svg class=\"plot") {
        rest = &rest[start..];
        let end = rest.find("</figure>").expect("a chart is in a figure");
        let svg = rest[..end].rfind("</svg>").expect("an end") + "</svg>".len();
        let mut reader = Reader::from_str(&rest[..svg]);
        while !matches!(reader.read_event().expect("XML"), Event::Eof) {}
        charts.push(&rest[..svg]);
        rest = &rest[end..];
    }
    charts
}

/// The result inside the page.
pub(crate) fn embedded(page: &str) -> Value {
    let (_, rest) = page.split_once("<script type=\"application/json\" id=\"result\">").expect("the JSON");
    let (json, _) = rest.split_once("</script>").expect("its end");
    serde_json::from_str(json).expect("JSON")
}

/// The page without what is between these tags.
pub(crate) fn without_contents(page: &str, name: &str) -> String {
    let (start, end) = (format!("<{name}"), format!("</{name}>"));
    let mut kept = String::new();
    let mut rest = page;
    while let Some(at) = rest.find(&start) {
        let open = at + rest[at..].find('>').expect("a tag ends") + 1;
        kept.push_str(&rest[..open]);
        rest = &rest[open..];
        rest = &rest[rest.find(&end).expect("an end")..];
        kept.push_str(&end);
        rest = &rest[end.len()..];
    }
    kept + rest
}
