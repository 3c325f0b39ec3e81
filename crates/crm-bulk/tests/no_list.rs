//! Files that are no rows: the reason is the right one, is short, and is told before the file is read
//! to its end.
#![allow(clippy::unwrap_used, reason = "a test fails so")]

mod common;

use std::{
    io::{Cursor, Read, repeat},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use common::*;
use crm_bulk::{Input, List, ListOptions, Plan};
use crm_sandbox::Seed;

/// Far more than a row has.
const HUGE: u64 = 50 << 20;

/// Counts what is read of it.
struct Counted<R>(R, Arc<AtomicU64>);

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.0.read(buffer)?;
        self.1.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// A file that begins so and goes on with the same byte.
fn endless(beginning: &str, byte: u8) -> Box<dyn Read + Send> {
    Box::new(Cursor::new(beginning.to_owned()).chain(repeat(byte).take(HUGE)))
}

type Make = fn() -> Box<dyn Read + Send>;

/// Each with a part of what is told.
const FILES: [(Make, &str); 12] = [
    (|| endless("", b'a'), "line 1: the row is longer than a mebibyte"),
    (|| endless("", b','), "line 1: the row is longer than a mebibyte"),
    (|| endless("phone,location_id,contact_id\n8185550142,", b'x'), "line 2: the row is longer"),
    (
        || endless("phone,location_id,contact_id\n8185550142,\"", b'\n'),
        "the quoted cell that begins on line 2 may not be closed",
    ),
    (|| endless("", 0), "is no text"),
    (|| endless("\u{1}\u{2}", 7), "is no text"),
    (|| Box::new(Cursor::new(b"\x1f\x8b\x08\0\0\0\0\0")), "gzip"),
    (|| Box::new(Cursor::new(b"PK\x03\x04\x14\0\x06\0")), "workbook"),
    (|| Box::new(Cursor::new(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")), "PDF"),
    (|| Box::new(Cursor::new(b"p\0h\0o\0n\0e\0\n\x008\x001\x008\0")), "--encoding utf-16le"),
    (|| Box::new(Cursor::new(b"\0p\0h\0o\0n\0e\0\n\x008\x001\x008")), "--encoding utf-16be"),
    (|| Box::new(Cursor::new(b"<!DOCTYPE html>\n<html>")), "web page"),
];

#[tokio::test]
async fn a_file_that_is_no_rows_is_told_to_be_none_in_a_line_and_soon() {
    let world = world(Seed::Demo).await;
    for (make, told) in FILES {
        for is_list in [true, false] {
            let read = Arc::new(AtomicU64::new(0));
            let input = Input::csv("file", Counted(make(), Arc::clone(&read)));
            let error = if is_list {
                List::read(input, &ListOptions::new()).unwrap_err()
            } else {
                let plan = Plan::new(world.site.clone());
                plan.from_api(&world.service, input, world.path("set.crm")).await.unwrap_err()
            };
            let error = error.to_string();
            assert!(error.contains(told) && error.len() < 300, "{told}: {error}");
            // What arrives is read a little ahead.
            assert!(read.load(Ordering::Relaxed) < HUGE / 4, "{told}");
        }
    }
    let input = Input::ndjson("file", endless("{\"memo\": \"", b'x'));
    let error = List::read(input, &ListOptions::new()).unwrap_err().to_string();
    assert!(error.contains("line 1: the row is longer"), "{error}");
}

#[tokio::test]
async fn long_headers_and_cells_are_told_by_their_beginnings() {
    let world = world(Seed::Demo).await;
    let long = "header ".repeat(20_000);
    let list = format!("{long},{long}x\n1,2\n");
    let input = Input::csv("file", Cursor::new(list.clone()));
    let error = List::read(input, &ListOptions::new()).unwrap_err().to_string();
    assert!(error.contains("header header") && error.len() < 600, "{error}");
    let plan = Plan::new(world.site.clone());
    let input = Input::csv("file", Cursor::new(list));
    let error = plan.from_api(&world.service, input, world.path("set.crm")).await.unwrap_err();
    assert!(
        error.to_string().contains("header header") && error.to_string().len() < 600,
        "{error}"
    );

    let rows = format!("phone,status\n8185550142,{long}\n");
    let mut list = List::read(Input::csv("file", Cursor::new(rows)), &ListOptions::new()).unwrap();
    let invalid = list.each_row(None, |_, row| {
        assert!(row.unwrap_err().len() < 300);
        Ok::<_, crm_bulk::BulkError>(())
    });
    let told = invalid.unwrap().unwrap().to_string();
    assert!(told.contains("header header") && told.len() < 300, "{told}");
}
