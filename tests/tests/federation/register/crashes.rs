//! What a crash or a failing disk leaves of a copy opens, and is never decided with before its root is agreed
//! on.

use std::fs;

use convenant_register::FollowError;
use convenant_testkit::{Cut, Shown};

use super::{Copy, Turned};

/// A copy whose last refresh brought what came after the first ten documents, with the files of before it.
async fn caught_up(turned: &Turned, name: &str) -> (Copy, Vec<u8>) {
    let copy = turned.copy(name);
    turned.coordinator.show(Shown::all_of(turned.first(10)));
    copy.refresh().await.unwrap();
    let before = copy.files()["checkpoint"].clone();
    turned.show_all();
    copy.refresh().await.unwrap();
    (copy, before)
}

/// Opens it again, at the first ten documents, and follows from `from` on to the end.
async fn goes_on(turned: &Turned, copy: Copy, from: u64) {
    let copy = copy.restarted(turned);
    assert_eq!((copy.size(), copy.is_trusted(turned)), (10, true));
    assert_eq!(copy.files().len(), 11, "documents beyond the checkpoint among the agreed ones");
    copy.refresh().await.unwrap();
    assert_eq!((turned.coordinator.asked_from(), copy.size()), (from, turned.size()));
    assert!(copy.incoming().is_empty());
    let copy = copy.restarted(turned);
    assert_eq!((copy.size(), copy.is_trusted(turned)), (turned.size(), true));
}

#[tokio::test]
async fn a_crash_before_the_checkpoint_takes_the_documents_back() {
    let turned = Turned::start().await;
    let (copy, before) = caught_up(&turned, "all-moved").await;
    fs::write(copy.dir.join("checkpoint"), &before).unwrap();
    goes_on(&turned, copy, turned.size()).await;

    let (copy, before) = caught_up(&turned, "some-moved").await;
    fs::write(copy.dir.join("checkpoint"), &before).unwrap();
    for index in 13..turned.size() {
        let name = format!("{index:08}.jws");
        fs::create_dir_all(copy.dir.join("incoming")).unwrap();
        let back = copy.dir.join("incoming").join(&name);
        fs::rename(copy.dir.join("documents").join(name), back).unwrap();
    }
    goes_on(&turned, copy, turned.size()).await;
}

#[tokio::test]
async fn documents_without_any_checkpoint_are_decided_with_by_nobody() {
    let turned = Turned::start().await;
    let (copy, _) = caught_up(&turned, "copy").await;
    fs::remove_file(copy.dir.join("checkpoint")).unwrap();
    let copy = copy.restarted(&turned);
    assert_eq!((copy.size(), copy.is_trusted(&turned)), (0, false));
    copy.refresh().await.unwrap();
    assert_eq!((turned.coordinator.asked_from(), copy.size()), (turned.size(), turned.size()));
}

#[tokio::test]
async fn a_document_that_a_crash_tore_comes_again() {
    let turned = Turned::start().await;
    for (name, tear) in [("torn", 7), ("empty", 0)] {
        let copy = turned.copy(name);
        turned.coordinator.show(Shown::all_of(turned.documents.clone()).cut(Cut::Ended(9)));
        copy.refresh().await.unwrap_err();
        let torn = copy.dir.join("incoming/00000004.jws");
        let whole = fs::read(&torn).unwrap();
        fs::write(&torn, &whole[..tear]).unwrap();
        let copy = copy.restarted(&turned);
        turned.show_all();
        copy.refresh().await.unwrap();
        assert_eq!((turned.coordinator.asked_from(), copy.size()), (4, turned.size()));
        assert_eq!(copy.files()["00000004.jws"], whole);
    }
}

#[tokio::test]
async fn a_refresh_that_cannot_be_kept_changes_nothing_and_succeeds_later() {
    let turned = Turned::start().await;
    // A folder stands where a file or folder is to be written.
    for obstacle in ["checkpoint.part", "documents/00000015.jws"] {
        let copy = turned.copy(&obstacle.replace('/', "-"));
        turned.coordinator.show(Shown::all_of(turned.first(10)));
        copy.refresh().await.unwrap();
        let checkpoint = copy.files()["checkpoint"].clone();
        let obstacle = copy.dir.join(obstacle);
        fs::create_dir(&obstacle).unwrap();
        turned.show_all();
        for _ in 0..2 {
            let error = copy.refresh().await.unwrap_err();
            assert!(matches!(error, FollowError::Folder(_)), "{error}");
            assert_eq!((copy.size(), copy.is_trusted(&turned)), (10, true));
        }
        assert_eq!(fs::read(copy.dir.join("checkpoint")).unwrap(), checkpoint);
        fs::remove_dir(&obstacle).unwrap();
        copy.refresh().await.unwrap();
        assert_eq!((turned.coordinator.asked_from(), copy.size()), (turned.size(), turned.size()));
        let copy = copy.restarted(&turned);
        assert_eq!((copy.size(), copy.is_trusted(&turned)), (turned.size(), true));
    }
}

#[tokio::test]
async fn a_copy_that_lost_agreed_documents_does_not_open() {
    let turned = Turned::start().await;
    let (copy, _) = caught_up(&turned, "copy").await;
    fs::remove_file(copy.dir.join(format!("documents/{:08}.jws", turned.size() - 1))).unwrap();
    let opened = turned.try_copy("copy");
    assert!(matches!(opened, Err(FollowError::Forked { .. })), "{:?}", opened.map(drop));
}
