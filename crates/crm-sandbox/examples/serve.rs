//! Serves a sandbox until Ctrl-C. Its first line is the connection as JSON.
//!
//! `cargo run -p crm-sandbox --example serve -- 127.0.0.1:8080 demo rate-limit=0`

use crm_sandbox::Sandbox;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut builder = Sandbox::builder();
    if let Some(address) = arguments.next() {
        builder = builder.listen(address.parse()?);
    }
    if let Some(seed) = arguments.next() {
        builder = builder.seed(seed.parse()?);
    }
    for setting in arguments {
        let (name, value) = setting.split_once('=').ok_or("settings are NAME=VALUE")?;
        builder = builder.set(name, value)?;
    }
    let sandbox = builder.start().await?;
    println!("{}", serde_json::to_string(sandbox.connection())?);
    tokio::signal::ctrl_c().await?;
    sandbox.stop().await;
    Ok(())
}
