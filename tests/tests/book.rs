//! Where the book shows a file, it shows the file as it is: the copy in the book is compiled, the
//! file is run.

use std::{fs, path::Path};

/// The code of a chapter, block by block, as a reader sees it: without hidden lines.
fn rust_blocks(chapter: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = chapter.lines();
    while lines.any(|line| line == "```rust") {
        let block = lines.by_ref().take_while(|line| *line != "```");
        let shown = block.filter(|line| *line != "#" && !line.starts_with("# "));
        blocks.push(shown.collect::<Vec<_>>().join("\n"));
    }
    blocks
}

#[test]
fn the_opt_out_job_in_the_book_is_the_one_that_is_tested() {
    let files = [
        include_str!("opt_out_job/job.rs"),
        include_str!("opt_out_job/at_most.rs"),
        include_str!("opt_out_job/main.rs"),
    ];
    let blocks = rust_blocks(include_str!("../../docs/src/opt-out-job.md"));
    assert_eq!(blocks.len(), files.len(), "one block for each file");
    for (file, block) in files.iter().zip(&blocks) {
        assert!(file.contains(block), "the book differs from its file in\n{block}");
    }
}

#[test]
fn the_record_that_the_book_makes_by_hand_is_the_one_that_is_tested() {
    let tests = include_str!("../../crates/crm-consent/src/record.rs").lines();
    let known = tests.filter_map(|line| line.split_once(": &str = \"")?.1.strip_suffix("\";"));
    let known: Vec<_> = known.filter(|text| text.len() == 64).collect();
    assert_eq!(known.len(), 3, "{known:?}");
    let chapter = include_str!("../../docs/src/consent.md");
    for sha in known {
        assert!(chapter.contains(&format!("\n# {sha}\n")), "the book lacks {sha}");
    }
}

#[test]
fn the_transport_in_the_book_is_the_example_that_keeps_the_contract() {
    let example = include_str!("../../crates/crm-transport/examples/custom_transport.rs");
    let (_, transport) = example.split_once("\n\n/// HTTP/1.1 by hand").expect("its start");
    let (transport, _) = transport.split_once("\n#[tokio::main]").expect("its end");
    let chapter = include_str!("../../docs/src/transport.md");
    assert!(chapter.contains(transport), "the book differs from the example");
    // The chapter's call is in a test, which a doctest leaves out.
    assert_eq!(check(chapter), check(example), "the book differs from the example");
}

/// The call that checks the contract.
fn check(text: &str) -> &str {
    let (_, call) = text.split_once("contract::check(").expect("its start");
    let (call, _) = call.split_once(".await;").expect("its end");
    call
}

#[test]
fn every_chapter_with_rust_code_is_compiled() {
    let compiled = include_str!("../src/lib.rs");
    let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src");
    let summary = include_str!("../../docs/src/SUMMARY.md");
    let chapters = summary.split("](").filter_map(|link| link.split_once(')'));
    for (chapter, _) in chapters {
        let text = fs::read_to_string(book.join(chapter)).expect(chapter);
        assert!(
            !text.contains("```rust") || compiled.contains(&format!("/docs/src/{chapter}\")")),
            "tests/src/lib.rs lacks {chapter}"
        );
    }
}
