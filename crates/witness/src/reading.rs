//! Ledgers, read by auditors over the network: file by file, as C2SP `tlog-tiles` serves them.

use std::{collections::BTreeMap, io, path::PathBuf, sync::Arc};

use convenant_model::{Oin, Problem};
use convenant_transport::Peer;
use convenant_wire::{
    problem::status,
    v1::{ReadRequest, ReadResponse, ledger_server::Ledger},
};
use tonic::{Request, Response, Status};

/// The ledgers of a party, by origin, and who may read them.
pub struct Shelf {
    /// Folder of each ledger.
    pub ledgers: BTreeMap<String, PathBuf>,
    /// Whether a party may read them.
    pub entitled: Arc<dyn Fn(&Oin) -> bool + Send + Sync>,
}

/// The gRPC face of a shelf.
pub struct LedgerService(pub Arc<Shelf>);

#[tonic::async_trait]
impl Ledger for LedgerService {
    async fn read(&self, request: Request<ReadRequest>) -> Result<Response<ReadResponse>, Status> {
        let peer = request.extensions().get::<Peer>().map(|peer| peer.oin.clone());
        let entitled = peer.as_ref().is_some_and(|peer| (self.0.entitled)(peer));
        if !entitled {
            let why = "only auditors that the register enrols read ledgers";
            return Err(status(Problem::NotAllowed, why));
        }
        let ReadRequest { origin, path } = request.into_inner();
        let missing = || status(Problem::NotFound, "no such ledger, or no such file in it");
        let folder = self.0.ledgers.get(&origin).ok_or_else(missing)?;
        if !is_served(&path) {
            return Err(missing());
        }
        let file = folder.join(&path);
        let read = tokio::task::spawn_blocking(move || std::fs::read(file)).await;
        match read {
            Ok(Ok(content)) => Ok(Response::new(ReadResponse { content: content.into() })),
            Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => Err(missing()),
            Ok(Err(error)) => {
                tracing::error!(%error, path, "a file of the ledger cannot be read");
                Err(status(Problem::Internal, "the file cannot be read"))
            }
            Err(_) => Err(status(Problem::Internal, "reading broke off")),
        }
    }
}

/// Whether a path is one of the files that make up a copy. None of them leads out of the folder.
fn is_served(path: &str) -> bool {
    let parts: Vec<_> = path.split('/').collect();
    match parts.as_slice() {
        ["checkpoint"] => true,
        ["tile", rest @ ..] => !rest.is_empty() && rest.iter().all(|part| is_tile(part)),
        ["documents", name] => name.strip_suffix(".jws").is_some_and(is_number),
        ["witnessing" | "witnessed", name] => {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '_';
            name.starts_with("convenant.") && name.chars().all(plain)
        }
        _ => false,
    }
}

/// `entries`, a level, a width, or a group of the index: `x001`, `234`, `067.p`.
fn is_tile(part: &str) -> bool {
    let number = part.strip_prefix('x').unwrap_or(part);
    part == "entries" || is_number(number.strip_suffix(".p").unwrap_or(number))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::is_served;

    #[test]
    fn only_files_of_a_copy_are_served() {
        for path in [
            "checkpoint",
            "tile/0/000",
            "tile/1/x001/x234/067.p/12",
            "tile/entries/001",
            "documents/00000012.jws",
            "witnessing/convenant.node_00000099000000004000",
        ] {
            assert!(is_served(path), "{path}");
        }
        for path in [
            "",
            "/",
            "checkpoint/",
            "../checkpoint",
            "tile",
            "tile/",
            "tile/../lock",
            "tile//0",
            "tile/0/..",
            "lock",
            "segments/00000000000000000000.seg",
            "documents/../lock",
            "documents/1.jwk",
            "witnessing/..",
            "witnessed/",
            "/etc/passwd",
            "tile/.p",
        ] {
            assert!(!is_served(path), "{path}");
        }
    }
}
