//! Tells the tests of the shared rate limit whether a server for it is installed, so that they
//! count as ignored where there is none.

use std::env;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(no_redis)");
    println!("cargo::rerun-if-env-changed=PATH");
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = env::split_paths(&path).filter(|folder| folder.is_dir()).collect();
    let is_installed = |program| folders.iter().any(|folder| folder.join(program).exists());
    if !is_installed("redis-server") && !is_installed("valkey-server") {
        println!("cargo::rustc-cfg=no_redis");
    }
    for folder in folders {
        println!("cargo::rerun-if-changed={}", folder.display());
    }
}
