//! Budgets of queries, subjects and numbers for each project and partner (clause S10), which no restart, lost index
//! or other way to the node resets; and numbers that cannot be subtracted to find a person (clause L4).

use std::fs;

use convenant_client::{Client, compose::Composed};
use convenant_demo::documents;
use convenant_model::{
    documents::{AnnexField, Quota},
    query::QueryKind::{self, Count, Lookup},
    subjects::Subject,
};
use convenant_testkit::{
    Told, World,
    question::{about, question, target, when},
    told, wire,
};

use crate::{
    replay::replay,
    support::{Attempt, BRP_FIELDS, Results, attempt, both, in_rotterdam, world},
};

const PROJECT: &str = "P-2026-030";
const BRP: &str = "gemeente/brp_persoon";
const DAY: i64 = 24 * 60 * 60;
const SPENT: [&str; 1] = ["S10/QUOTUM"];
const DERIVABLE: [&str; 1] = ["L4/AFLEIDBAAR"];

/// What the project publishes besides what the example does.
const PUBLISHED: [&str; 8] = [
    "leeftijd >= 18",
    "leeftijd >= 19",
    "leeftijd < 18",
    "leeftijd >= 18 and verblijfplaats_functie_adres = 'W'",
    "gemeente_van_inschrijving = '0518'",
    "gemeente_van_inschrijving in ('0518', '0599')",
    "verblijfplaats_functie_adres = 'B' or leeftijd >= 18",
    "verblijfplaats_functie_adres = 'B' and leeftijd >= 18",
];

/// Rotterdam in a project with a budget of its own.
struct Case {
    world: World,
    client: Client,
}

impl Case {
    async fn new(queries: u64, subjects: u64, cells: u64) -> Self {
        let world = world(&["rotterdam"]).await;
        let mut spec = world.federation.spec.projects[0].clone();
        let proposal = &mut spec.proposal;
        proposal.project = PROJECT.parse().unwrap();
        proposal.quota = Quota { queries, subjects, cells };
        let annex = proposal.annex.iter_mut().find(|annex| annex.dataset.as_str() == BRP).unwrap();
        let like = annex.field[0].clone();
        annex.field.push(AnnexField { name: "leeftijd".parse().unwrap(), ..like });
        let published = (0..).zip(PUBLISHED).map(|(i, condition)| {
            documents::predicate(&format!("B{i}"), BRP, condition, "voor een test").unwrap()
        });
        proposal.predicate.extend(published);
        for document in world.federation.project_documents(&spec).unwrap() {
            world.submit(&document).await.unwrap();
        }
        let client = world.client().await.unwrap();
        Self { world, client }
    }

    fn compose(&self, kind: QueryKind, people: Vec<Subject>, condition: &str) -> Composed {
        let fields = if kind == Count { &[] } else { BRP_FIELDS };
        let mut asked = target(self.world.partner("rotterdam").unwrap(), fields).unwrap();
        if !people.is_empty() {
            asked = about(asked, people).unwrap();
        }
        if !condition.is_empty() {
            asked = when(asked, condition).unwrap();
        }
        let mut question = question(kind, vec![asked]).unwrap();
        question.project = PROJECT.parse().unwrap();
        self.client.compose_anything(question).unwrap()
    }

    fn lookup(&self, people: usize) -> Composed {
        self.compose(Lookup, in_rotterdam(&self.world, people), "")
    }

    async fn send(&self, composed: &Composed) -> Told {
        let results = Results::of(&self.world, &composed.query.id.to_string());
        told(&results.ask(&self.client, composed).await)
    }

    async fn look_up(&self, people: usize) {
        assert_eq!(self.send(&self.lookup(people)).await, ["answered"]);
    }

    async fn attempt(&self, composed: &Composed) -> Attempt {
        attempt(&self.world, &self.client, composed).await
    }

    /// The number, or nothing where it is below the minimum.
    async fn count(&self, condition: &str) -> Option<u64> {
        let composed = self.compose(Count, Vec::new(), condition);
        let results = Results::of(&self.world, &composed.query.id.to_string());
        assert_eq!(told(&results.ask(&self.client, &composed).await), ["answered"], "{condition}");
        let row = results.rows(0).remove(0);
        assert_eq!(row[1] == "true", row[0].is_empty());
        row[0].parse().ok()
    }

    /// Refused by both, and for nothing else.
    async fn derivable(&self, condition: &str) {
        let told = self.attempt(&self.compose(Count, Vec::new(), condition)).await;
        assert_eq!(told, both(&DERIVABLE), "{condition}");
    }

    /// Stops coordinator and node, takes their indexes away, and starts both from what is left.
    async fn restart(&mut self) {
        self.world.stop_node("rotterdam").await.unwrap();
        self.world.stop_coordinator().await.unwrap();
        let federation = &self.world.federation;
        for dir in [&federation.coordinator.dir, &federation.partner("rotterdam").unwrap().dir] {
            fs::remove_dir_all(World::state(dir).join("index")).unwrap();
        }
        self.world.start_coordinator().await.unwrap();
        self.world.start_node("rotterdam").await.unwrap();
    }

    /// The audit counts everything again.
    async fn audit(mut self) {
        self.client.close().await;
        self.world.shut_down().await.unwrap();
        let report = replay(&self.world, &["rotterdam"]);
        assert!(report.holds(), "{report}");
    }
}

#[tokio::test]
async fn queries_run_out_for_good() {
    let mut case = Case::new(3, 1000, 0).await;
    case.look_up(1).await;
    case.look_up(1).await;
    case.restart().await;
    case.look_up(1).await;
    assert_eq!(case.attempt(&case.lookup(1)).await, both(&SPENT));
    case.restart().await;
    assert_eq!(case.attempt(&case.lookup(1)).await, both(&SPENT));
    case.world.clock.advance(20 * DAY);
    case.client.refresh().await.unwrap();
    assert_eq!(case.attempt(&case.lookup(1)).await, both(&SPENT));
    case.audit().await;
}

#[tokio::test]
async fn subjects_run_out_for_good() {
    let mut case = Case::new(100, 25, 0).await;
    case.look_up(10).await;
    case.look_up(10).await;
    assert_eq!(case.attempt(&case.lookup(6)).await, both(&SPENT));
    case.restart().await;
    assert_eq!(case.attempt(&case.lookup(6)).await, both(&SPENT));
    // What was refused took nothing.
    case.look_up(5).await;
    case.restart().await;
    assert_eq!(case.attempt(&case.lookup(1)).await, both(&SPENT));
    case.audit().await;
}

#[tokio::test]
async fn numbers_run_out_for_good() {
    let mut case = Case::new(100, 100, 1).await;
    case.count("verblijfplaats_functie_adres = 'W'").await;
    case.restart().await;
    // Of people of whom nobody is in the first number.
    let other = "verblijfplaats_functie_adres = 'B' and verblijfplaats_datum_van < '19900101'";
    let other = case.compose(Count, Vec::new(), other);
    assert_eq!(case.attempt(&other).await, both(&SPENT));
    // Whoever looks up needs none.
    case.look_up(1).await;
    case.audit().await;
}

#[tokio::test]
async fn a_node_counts_for_itself_whichever_way_queries_come() {
    let mut case = Case::new(3, 1000, 0).await;
    let past_the_coordinator = async |case: &Case| {
        let node = case.world.partner("rotterdam").unwrap();
        let channel = case.world.to(&case.world.coordinator(), node).unwrap();
        let (composed, key) = (case.lookup(1), node.keys.ledger.verifying_key());
        wire::node_told(&wire::ask(channel, wire::answer_request(&composed, 0), key).await)
    };
    // Somebody with the coordinator's certificate, of whose queries the coordinator has no record.
    for _ in 0..2 {
        assert_eq!(past_the_coordinator(&case).await, ["answered"]);
    }
    case.look_up(1).await;
    assert_eq!(past_the_coordinator(&case).await, SPENT);
    assert_eq!(case.send(&case.lookup(1)).await, SPENT, "the node, not the coordinator");
    case.restart().await;
    assert_eq!(past_the_coordinator(&case).await, SPENT);
    assert_eq!(case.send(&case.lookup(1)).await, SPENT, "after a restart");
}

#[tokio::test]
async fn numbers_that_could_be_subtracted_are_not_both_given() {
    let mut case = Case::new(100, 1000, 50).await;
    let adults = case.count("leeftijd >= 18").await.unwrap();
    assert!(adults >= 10 && adults.is_multiple_of(5), "{adults}");
    // A threshold shifted by one, the complement, one more condition, a union, everybody, and the same.
    for condition in [
        "leeftijd >= 19",
        "leeftijd < 18",
        "leeftijd >= 18 and verblijfplaats_functie_adres = 'W'",
        "verblijfplaats_functie_adres = 'B' or leeftijd >= 18",
        "",
        "leeftijd >= 18",
    ] {
        case.derivable(condition).await;
    }
    // All residents but one, as given people.
    assert_eq!(case.attempt(&given_people(&case)).await, both(&DERIVABLE));
    // A condition that nobody published, however it is written.
    let unpublished = case.compose(Count, Vec::new(), "not leeftijd >= 19");
    let told = case.attempt(&unpublished).await;
    assert_eq!(told, both(&["L4/AFLEIDBAAR", "S12/GEEN_PREDICAAT"]));

    // Everybody in the area, put as a condition; and one that tests something else, and that many are both.
    case.derivable("gemeente_van_inschrijving = '0599'").await;
    case.derivable("verblijfplaats_functie_adres = 'W'").await;

    // Day after day: four weeks later for the first time, and then not again.
    case.restart().await;
    case.derivable("leeftijd >= 19").await;
    case.world.clock.advance(27 * DAY);
    case.client.refresh().await.unwrap();
    case.derivable("leeftijd >= 19").await;
    case.world.clock.advance(DAY);
    case.client.refresh().await.unwrap();
    assert_eq!(case.attempt(&given_people(&case)).await, both(&DERIVABLE), "never of given people");
    assert!(case.count("leeftijd >= 19").await.is_some());
    case.derivable("leeftijd >= 18").await;
    case.audit().await;
}

#[tokio::test]
async fn numbers_of_groups_that_have_nobody_in_common_are_given() {
    let case = Case::new(100, 1000, 50).await;
    // Neighbouring areas: of the other one there is nothing to count, and the two together are the same again.
    assert!(case.count("gemeente_van_inschrijving = '0599'").await.is_some());
    assert_eq!(case.count("gemeente_van_inschrijving = '0518'").await, None);
    case.derivable("gemeente_van_inschrijving in ('0518', '0599')").await;
    case.world.clock.advance(28 * DAY);
    case.client.refresh().await.unwrap();
    assert!(case.count("verblijfplaats_functie_adres = 'W'").await.is_some());
    case.count("verblijfplaats_functie_adres = 'B' and verblijfplaats_datum_van < '19900101'")
        .await;
    case.derivable("verblijfplaats_functie_adres in ('W', 'B')").await;
    case.audit().await;
}

fn given_people(case: &Case) -> Composed {
    case.compose(Count, in_rotterdam(&case.world, 40), "leeftijd >= 18")
}
