//! A coordinator in hostile hands: it can refuse, delay and drop. It obtains no field, row or subject
//! that a node would not give, and alters none unseen.

use convenant_client::{
    Client, ClientError, TargetResult, compose::Composed, receive::ReceiveError,
};
use convenant_demo::population::ROTTERDAM;
use convenant_exchange::seal_subjects;
use convenant_model::{FieldName, Problem, entry::Status, query::QueryKind};
use convenant_register::FollowError;
use convenant_signing::{OpeningKey, SystemRandom};
use convenant_testkit::{
    HostileCoordinator, Plan, Tampering, World,
    question::{about, question, target, when},
    told, wire,
};
use convenant_wire::v1::{QueryFrame, query_frame::Body};

use crate::support::{BRP_FIELDS, LONG_FIELDS, Results, in_rotterdam, residents, world};

/// A world whose coordinator was turned after the leader's client took its register.
struct Turned {
    world: World,
    client: Client,
    hostile: HostileCoordinator,
}

impl Turned {
    async fn start(plan: Plan) -> Self {
        let mut world = World::start(&plan).await.unwrap();
        let client = world.client().await.unwrap();
        let hostile = world.turn_coordinator().await.unwrap();
        Self { world, client, hostile }
    }

    fn lookup(&self, partners: &[&str]) -> Composed {
        let targets = partners.iter().map(|name| {
            let asked = target(self.world.partner(name).unwrap(), BRP_FIELDS).unwrap();
            about(asked, in_rotterdam(&self.world, 3)).unwrap()
        });
        let question = question(QueryKind::Lookup, targets.collect()).unwrap();
        self.client.compose(question).unwrap()
    }

    /// A select whose answer takes several chunks.
    fn long_select(&self) -> Composed {
        let asked = target(self.world.partner("rotterdam").unwrap(), LONG_FIELDS).unwrap();
        let asked = when(asked, "verblijfplaats_functie_adres = 'W'").unwrap();
        let question = question(QueryKind::Select, vec![asked]).unwrap();
        self.client.compose(question).unwrap()
    }

    async fn ask(&self, composed: &Composed) -> (Vec<TargetResult>, Results) {
        let results = Results::of(&self.world, &composed.query.id.to_string());
        let sent = results.ask(&self.client, composed).await;
        (sent.unwrap(), results)
    }
}

/// The rows are gone and the receipt says that the answer was not accepted.
fn assert_refused_here(result: &TargetResult) -> &ReceiveError {
    assert_eq!(result.status, Status::Failed { problem: Problem::BadSignature });
    assert!(result.file.is_none());
    result.refused_here.as_ref().unwrap()
}

/// The node itself refused; nothing came for the leader to judge.
fn assert_refused_by_node(result: &TargetResult) {
    assert_eq!(result.status, Status::Failed { problem: Problem::BadSignature });
    assert!(result.refused_here.is_none(), "only the leader noticed: {result:?}");
}

fn chunks(frames: &[QueryFrame]) -> Vec<usize> {
    let chunk = |(at, frame): (usize, &QueryFrame)| {
        matches!(frame.body, Some(Body::Chunk(_))).then_some(at)
    };
    frames.iter().enumerate().filter_map(chunk).collect()
}

#[tokio::test]
async fn left_alone_the_double_relays_like_the_real_one() {
    let turned = Turned::start(Plan::nodes(&["rotterdam"])).await;
    let (results, files) = turned.ask(&turned.lookup(&["rotterdam"])).await;
    assert_eq!(results[0].status, Status::Answered, "{results:?}");
    assert_eq!(files.rows(0).len(), 3);
}

#[tokio::test]
async fn a_changed_shape_is_refused_by_the_node() {
    let turned = Turned::start(Plan::nodes(&["rotterdam"])).await;
    turned.hostile.tamper(Tampering::of_request(|mut request| {
        request.signed_query = wire::alter_signed(&request.signed_query, |query| {
            let field = FieldName::new("verblijfadres_postcode").unwrap();
            query.targets[0].fields.push(field);
        })
        .unwrap();
        request
    }));
    let (results, files) = turned.ask(&turned.lookup(&["rotterdam"])).await;
    assert_refused_by_node(&results[0]);
    assert!(files.are_empty());
}

#[tokio::test]
async fn results_sealed_to_another_key_are_refused_by_the_node() {
    let turned = Turned::start(Plan::nodes(&["rotterdam"])).await;
    let own = OpeningKey::generate(&SystemRandom::new()).unwrap();
    let sealing = own.sealing_key().clone();
    turned.hostile.tamper(Tampering::of_request(move |mut request| {
        let change = |query: &mut convenant_model::query::Query| {
            query.requester.sealing_key = sealing.clone();
        };
        request.signed_query = wire::alter_signed(&request.signed_query, change).unwrap();
        request
    }));
    let (results, files) = turned.ask(&turned.lookup(&["rotterdam"])).await;
    assert_refused_by_node(&results[0]);
    assert!(files.are_empty());
}

#[tokio::test]
async fn subjects_of_another_query_are_refused_by_the_node() {
    let turned = Turned::start(Plan::nodes(&["rotterdam"])).await;
    let earlier = turned.lookup(&["rotterdam"]).sealed[0].1.clone();
    turned.hostile.tamper(Tampering::of_request(move |mut request| {
        request.sealed_subjects = earlier.clone().into();
        request
    }));
    let (results, files) = turned.ask(&turned.lookup(&["rotterdam"])).await;
    assert_eq!(told(&Ok(results)), ["L14/BSN"]);
    assert!(files.are_empty());
}

#[tokio::test]
async fn subjects_that_the_coordinator_sealed_itself_are_refused_by_the_node() {
    let turned = Turned::start(Plan::nodes(&["rotterdam"])).await;
    let node = turned.world.partner("rotterdam").unwrap();
    let (key, node) = (node.keys.sealing.sealing_key().clone(), node.oin.clone());
    // Everything that sealing takes is public, and the number of people is right.
    let people = residents(&turned.world, ROTTERDAM, 20);
    let people: Vec<_> = people[10..13].iter().map(|person| person.subject()).collect();
    turned.hostile.tamper(Tampering::of_request(move |mut request| {
        let query = wire::query_of(&request.signed_query).unwrap();
        let parties = (&query.requester.partner, &node);
        let random = SystemRandom::new();
        let sealed = seal_subjects(&key, (query.id, 0), parties, (&people, &[]), &random);
        request.sealed_subjects = sealed.unwrap().into();
        request
    }));
    let (results, files) = turned.ask(&turned.lookup(&["rotterdam"])).await;
    assert_eq!(told(&Ok(results)), ["L14/BSN"]);
    assert!(files.are_empty());
}

#[tokio::test]
async fn chunks_that_are_dropped_repeated_reordered_or_altered_are_noticed() {
    let plan = Plan { persons: 9000, ..Plan::nodes(&["rotterdam"]) };
    let turned = Turned::start(plan).await;
    type Change = fn(Vec<QueryFrame>) -> Vec<QueryFrame>;
    let changes: [(&str, bool, Change); 6] = [
        ("drop the first", true, |mut frames| {
            frames.remove(chunks(&frames)[0]);
            frames
        }),
        ("drop the last", false, |mut frames| {
            frames.remove(*chunks(&frames).last().unwrap());
            frames
        }),
        ("repeat one", true, |mut frames| {
            let at = chunks(&frames)[0];
            frames.insert(at, frames[at].clone());
            frames
        }),
        ("repeat the last", true, |mut frames| {
            let at = *chunks(&frames).last().unwrap();
            frames.insert(at, frames[at].clone());
            frames
        }),
        ("reorder", true, |mut frames| {
            let at = chunks(&frames);
            frames.swap(at[0], at[1]);
            frames
        }),
        ("alter a byte", true, |mut frames| {
            let at = chunks(&frames)[1];
            let Some(Body::Chunk(chunk)) = &mut frames[at].body else { panic!("no chunk") };
            let mut bytes = chunk.to_vec();
            *bytes.last_mut().unwrap() ^= 1;
            *chunk = bytes.into();
            frames
        }),
    ];
    for (what, breaks_the_seal, change) in changes {
        turned.hostile.tamper(Tampering::of_frames(change));
        let (results, files) = turned.ask(&turned.long_select()).await;
        let error = assert_refused_here(&results[0]);
        // What the seal cannot show, the signed outcome does.
        assert_eq!(matches!(error, ReceiveError::Chunk(_)), breaks_the_seal, "{what}: {error}");
        assert!(files.are_empty(), "{what}");
    }
    // The same answer untouched, so that it is the tampering that was refused.
    turned.hostile.tamper(Tampering::none());
    let (results, files) = turned.ask(&turned.long_select()).await;
    assert_eq!(results[0].status, Status::Answered, "{results:?}");
    assert!(files.rows(0).len() > 1000);
}

#[tokio::test]
async fn an_answer_that_is_cut_off_leaves_nothing() {
    let turned = Turned::start(Plan::nodes(&["rotterdam"])).await;
    turned.hostile.tamper(Tampering::of_frames(|mut frames| {
        assert!(matches!(frames.pop().unwrap().body, Some(Body::SignedOutcome(_))));
        frames
    }));
    let (results, files) = turned.ask(&turned.lookup(&["rotterdam"])).await;
    assert_eq!(results[0].status, Status::Failed { problem: Problem::Cancelled });
    assert!(files.are_empty());
}

#[tokio::test]
async fn an_answer_that_never_ends_does_not_keep_the_leader_waiting() {
    let turned = Turned::start(Plan::nodes(&["rotterdam"])).await;
    let mut stalling = Tampering::of_frames(|mut frames| {
        frames.pop();
        frames
    });
    stalling.stalls = true;
    turned.hostile.tamper(stalling);
    let composed = turned.lookup(&["rotterdam"]);
    let files = Results::of(&turned.world, "stalled");
    let second = std::time::Duration::from_secs(1);
    let sent = turned.client.send(&composed, second, |at, _| files.path(at)).await;
    assert_eq!(told(&sent), ["TE_LAAT"]);
    assert!(files.are_empty());
}

#[tokio::test]
async fn an_altered_outcome_is_noticed() {
    let turned = Turned::start(Plan::nodes(&["rotterdam"])).await;
    turned.hostile.tamper(Tampering::of_frames(|mut frames| {
        let last = frames.last_mut().unwrap();
        let Some(Body::SignedOutcome(signed)) = &mut last.body else { panic!("no outcome") };
        let at = signed.find('.').unwrap() + 8;
        let other = if &signed[at..=at] == "A" { "B" } else { "A" };
        signed.replace_range(at..=at, other);
        frames
    }));
    let (results, files) = turned.ask(&turned.lookup(&["rotterdam"])).await;
    let error = assert_refused_here(&results[0]);
    assert!(matches!(error, ReceiveError::Signature(_)), "{error}");
    assert!(files.are_empty());
}

#[tokio::test]
async fn an_outcome_of_an_earlier_query_is_noticed() {
    let turned = Turned::start(Plan::nodes(&["rotterdam"])).await;
    let earlier = std::sync::Arc::new(std::sync::Mutex::new(None));
    let kept = std::sync::Arc::clone(&earlier);
    turned.hostile.tamper(Tampering::of_frames(move |frames| {
        let mut kept = kept.lock().unwrap();
        kept.get_or_insert_with(|| frames.clone()).clone()
    }));
    let (results, _) = turned.ask(&turned.lookup(&["rotterdam"])).await;
    assert_eq!(results[0].status, Status::Answered);
    let (results, files) = turned.ask(&turned.lookup(&["rotterdam"])).await;
    assert_refused_here(&results[0]);
    assert!(files.are_empty());
}

#[tokio::test]
async fn answers_of_two_nodes_that_are_swapped_are_noticed() {
    let turned = Turned::start(Plan::nodes(&["rotterdam", "denhaag"])).await;
    turned.hostile.tamper(Tampering::of_frames(|frames| {
        let swap = |frame: QueryFrame| QueryFrame { target: 1 - frame.target, ..frame };
        frames.into_iter().map(swap).collect()
    }));
    let (results, files) = turned.ask(&turned.lookup(&["rotterdam", "denhaag"])).await;
    for result in &results {
        assert_refused_here(result);
    }
    assert!(files.are_empty());
}

#[tokio::test]
async fn an_older_register_is_noticed_by_the_leader() {
    let turned = Turned::start(Plan::nodes(&[])).await;
    turned.hostile.show_register(turned.hostile.documents() - 1);
    let error = turned.client.refresh().await.unwrap_err();
    assert!(matches!(error, ClientError::Register(FollowError::Forked { .. })), "{error}");
}

#[tokio::test]
async fn an_older_register_makes_a_node_refuse_from_then_on() {
    let mut turned = Turned::start(Plan::nodes(&["rotterdam"])).await;
    let (results, _) = turned.ask(&turned.lookup(&["rotterdam"])).await;
    assert_eq!(results[0].status, Status::Answered);
    turned.hostile.show_register(turned.hostile.documents() - 1);
    // The node looks one after the other, so once the second began it knows what the first showed.
    let looks = turned.hostile.follows() + 2;
    turned.hostile.followed(looks).await.unwrap();
    let (results, files) = turned.ask(&turned.lookup(&["rotterdam"])).await;
    assert_eq!(results[0].status, Status::Failed { problem: Problem::RegisterForked });
    assert!(files.are_empty());
    // Showing the true one again does not mend it: nobody knows which history is the other's.
    turned.hostile.show_register(turned.hostile.documents());
    turned.hostile.followed(turned.hostile.follows() + 2).await.unwrap();
    let (results, files) = turned.ask(&turned.lookup(&["rotterdam"])).await;
    assert_eq!(results[0].status, Status::Failed { problem: Problem::RegisterForked });
    assert!(files.are_empty());
}

#[tokio::test]
async fn a_register_that_is_withheld_grows_stale_and_the_node_refuses() {
    let turned = Turned::start(Plan::nodes(&["rotterdam"])).await;
    let node = turned.world.partner("rotterdam").unwrap();
    let composed = turned.lookup(&["rotterdam"]);
    let coordinator = turned.world.coordinator();
    let channel = turned.world.to(&coordinator, node).unwrap();
    turned.hostile.stop().await.unwrap();
    turned.world.clock.advance(61 * 60);
    let mut late = composed;
    let now = convenant_model::Clock::now(turned.world.clock.as_ref());
    (late.query.created, late.query.expires) = (now, now.plus_seconds(300));
    wire::sign_again(&mut late, &turned.world.federation.leader.key).unwrap();
    let key = node.keys.ledger.verifying_key();
    let answered = wire::ask(channel, wire::answer_request(&late, 0), key).await;
    assert_eq!(wire::node_told(&answered), ["REGISTER_VEROUDERD"]);
}

#[tokio::test]
async fn a_coordinator_that_asks_on_its_own_behalf_is_refused() {
    let world = world(&["rotterdam"]).await;
    let client = world.client().await.unwrap();
    let node = world.partner("rotterdam").unwrap();
    let own = &world.federation.coordinator;
    let ask = async |composed: &Composed| {
        let channel = world.to(&world.coordinator(), node).unwrap();
        let request = wire::answer_request(composed, 0);
        let key = node.keys.ledger.verifying_key();
        wire::node_told(&wire::ask(channel, request, key).await)
    };
    let lookup = || {
        let asked = target(node, BRP_FIELDS).unwrap();
        let asked = about(asked, in_rotterdam(&world, 1)).unwrap();
        client.compose(question(QueryKind::Lookup, vec![asked]).unwrap()).unwrap()
    };
    // In its own name.
    let mut composed = lookup();
    composed.query.requester.partner = own.oin.clone();
    composed.query.requester.key = own.keys.signing.verifying_key().clone();
    wire::sign_again(&mut composed, &own.keys.signing).unwrap();
    let refused = ask(&composed).await;
    assert!(refused.contains(&"S6/MANDAAT".to_owned()), "{refused:?}");
    assert!(refused.contains(&"S2/GEEN_DEELNEMER".to_owned()), "{refused:?}");
    // In the name of the leader's organisation, with a key of its own.
    let mut composed = lookup();
    composed.query.requester.key = own.keys.signing.verifying_key().clone();
    wire::sign_again(&mut composed, &own.keys.signing).unwrap();
    assert_eq!(ask(&composed).await, ["S6/MANDAAT"]);
    // With what the leader signed, a second time.
    let composed = lookup();
    assert_eq!(ask(&composed).await, ["answered"]);
    assert_eq!(ask(&composed).await, ["HERHAALDE_VRAAG"]);
}

#[tokio::test]
async fn a_query_that_names_somebody_leaves_no_receipt_although_it_is_brokered() {
    let turned = Turned::start(Plan::nodes(&["rotterdam"])).await;
    let bsn = in_rotterdam(&turned.world, 1)[0].key.expose().to_owned();
    let asked = target(turned.world.partner("rotterdam").unwrap(), BRP_FIELDS).unwrap();
    let asked = when(asked, &format!("burgerservicenummer = '{bsn}'")).unwrap();
    let question = question(QueryKind::Select, vec![asked]).unwrap();
    let composed = turned.client.compose_anything(question).unwrap();
    // The double refuses nothing and opens a stream.
    let results = Results::of(&turned.world, "named");
    let sent = results.ask(&turned.client, &composed).await;
    assert!(matches!(sent, Err(ClientError::Malformed(_))), "{sent:?}");
    assert!(results.are_empty());
    turned.client.close().await;
    assert!(turned.world.receipts().unwrap().is_empty());
}
