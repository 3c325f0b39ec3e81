//! How long a check of many records takes: `check FOLDER [RECORDS]`.

use std::{env, error::Error, fmt::Write, fs, path::PathBuf, time::Instant};

use crm_consent::{Import, Input, Ledger, List, ListOptions, Scope, Wish};
use crm_mirror::Site;
use crm_models::TenantId;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("give a folder")?);
    let records: u32 = arguments.next().map_or(Ok(100_000), |records| records.parse())?;
    let site = Site::new(TenantId::new(1_001)?, "https://api.example.com");
    fs::create_dir_all(&folder)?;
    let mut ledger = Ledger::open_or_create(folder.join("ledger.db"), &site)?;

    let mut rows = String::from("phone,status,received\n");
    for n in 0..records {
        writeln!(rows, "{}{:04},STOP,2026-11-23 10:30", 818_200 + n / 10_000, n % 10_000)?;
    }
    let path = folder.join("list.csv");
    fs::write(&path, rows)?;
    let begun = Instant::now();
    let mut list = List::read(Input::open(&path)?, &ListOptions::new())?;
    let imported = ledger.import(&mut list, &Import::new())?;
    println!("imported in {:.2?}: {} new wishes", begun.elapsed(), imported.new);

    let begun = Instant::now();
    let checked = ledger.check(None)?;
    println!("checked in {:.2?}: {} records, {:?}", begun.elapsed(), checked.sound, checked.fault);

    let begun = Instant::now();
    let out = ledger.standing(Wish::Out, Scope::Marketing)?.len();
    println!("exported in {:.2?}: {out} values are out", begun.elapsed());

    let begun = Instant::now();
    let may = ledger.status("818-200-0042", Scope::Marketing)?.may();
    println!("asked in {:.2?}: {may}", begun.elapsed());
    Ok(())
}
