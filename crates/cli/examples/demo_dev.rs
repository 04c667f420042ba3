//! dev
#[path = "../src"]
mod x { pub(crate) mod demo; }
#[path = "../src/exit.rs"]
mod exit;
#[path = "../src/output.rs"]
mod output;
use x::demo;
use clap::Parser as _;
#[derive(clap::Parser)]
struct A { #[command(flatten)] d: demo::DemoArgs, #[arg(long)] json: bool }
#[tokio::main]
async fn main() -> std::process::ExitCode { let a = A::parse(); demo::run(a.d, a.json).await.unwrap_or_else(|e| exit::report(&e)) }
