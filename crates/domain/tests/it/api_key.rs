//! Keys of programs: made, found, handed on, expired, revoked.

use crate::support::World;
use scrip_domain::Actor;
use scrip_domain::api_key::{
    ApiKey, ApiKeyError, NewApiKey, Scope, api_key_create, api_key_find, api_key_revoke, api_keys,
};
use scrip_domain::id::ApiKeyId;
use scrip_domain::vendor::Vendor;
use scrip_engine::Timestamp;
use scrip_testkit::TestDb;

both!(
    a_key_is_found_by_its_whole_text,
    a_key_ends_by_itself_or_is_revoked,
    a_key_is_replaced_without_a_gap,
    a_key_gives_no_more_than_it_has,
    keys_that_cannot_be_are_refused,
    keys_are_listed_by_vendor_in_pages,
);

fn new(scopes: &[Scope], expires_at: Option<Timestamp>) -> NewApiKey {
    NewApiKey {
        name: "till".to_owned(),
        scopes: scopes.to_vec(),
        expires_at,
    }
}

type Made = Result<(ApiKey, String), ApiKeyError>;

fn create_at(world: &World, actor: Actor, vendor: &Vendor, new: NewApiKey) -> Made {
    let vendor = vendor.clone();
    world.write(move |tx| api_key_create(tx, actor, &vendor, &new))
}

fn create(world: &World, actor: Actor, scopes: &[Scope]) -> Made {
    create_at(world, actor, &world.vendor, new(scopes, None))
}

fn find(world: &World, presented: &str) -> Option<ApiKey> {
    world
        .node
        .engine
        .read(|tx| api_key_find(tx, presented))
        .unwrap()
}

fn revoke_at(
    world: &World,
    actor: Actor,
    vendor: &Vendor,
    id: ApiKeyId,
) -> Result<ApiKey, ApiKeyError> {
    let vendor = vendor.clone();
    world.write(move |tx| api_key_revoke(tx, actor, &vendor, id))
}

fn revoke(world: &World, id: ApiKeyId) -> ApiKey {
    revoke_at(world, Actor::System, &world.vendor, id).unwrap()
}

/// A key carries its book and its id; each of its characters counts; only a hash is kept.
fn a_key_is_found_by_its_whole_text(db: &TestDb) {
    let world = World::new(db);
    let other = world.other_vendor("other-shop");
    let scopes = [Scope::OrdersWrite, Scope::OrdersRead, Scope::OrdersWrite];
    let staff = Actor::Staff(world.staff("Ada"));
    let (key, text) = create(&world, staff, &scopes).unwrap();
    assert_eq!(key.scopes, [Scope::OrdersRead, Scope::OrdersWrite]);
    assert!(key.allows(Scope::OrdersRead) && !key.allows(Scope::KeysWrite));
    assert_eq!(key.created_by, staff.to_string());
    let id = key.key_id.to_string().replace("key_", "");
    let (head, secret) = text.split_at(text.len() - 43);
    assert_eq!(head, format!("scrip_{}_{id}_", world.book()));
    assert_eq!(find(&world, &text), Some(key.clone()));
    for (at, c) in text.char_indices() {
        for other in ['A', 'a', '0', '_'] {
            if c != other {
                let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
                assert_eq!(find(&world, &changed), None, "{changed} for {text}");
            }
        }
    }
    for odd in [
        String::new(),
        head.to_owned(),
        secret.to_owned(),
        format!("Bearer {text}"),
        format!("{text} "),
        "scrip_1_".repeat(10_000),
        text.replace(
            &format!("_{}_", world.book()),
            &format!("_{}_", other.book_id),
        ),
    ] {
        assert_eq!(find(&world, &odd), None, "{odd:.80}");
    }
    let (_, second) = create(&world, staff, &scopes).unwrap();
    let mixed = format!("{head}{}", &second[second.len() - 43..]);
    assert_eq!(find(&world, &mixed), None, "the secret of another key");
    for row in world.rows("SELECT secret_hash FROM api_key WHERE book_id = $1") {
        assert_eq!(row.blob(0).unwrap().len(), 32);
    }
}

fn a_key_ends_by_itself_or_is_revoked(db: &TestDb) {
    let world = World::new(db);
    let until = world.now().plus_seconds(3600);
    let read = [Scope::OrdersRead];
    let ending = new(&read, Some(until));
    let (key, text) = create_at(&world, Actor::System, &world.vendor, ending).unwrap();
    assert_eq!(key.expires_at, Some(until));
    let (lasting, forever) = create(&world, Actor::System, &read).unwrap();
    world.clock.set(until.plus_seconds(-1));
    assert_eq!(find(&world, &text), Some(key));
    world.clock.set(until);
    assert_eq!(find(&world, &text), None);
    world.clock.advance_seconds(10 * 365 * 24 * 3600);
    assert_eq!(find(&world, &forever), Some(lasting.clone()));
    let revoked = revoke(&world, lasting.key_id);
    assert_eq!(revoked.revoked_at, Some(world.now()));
    assert_eq!(find(&world, &forever), None);
    world.clock.advance_seconds(60);
    assert_eq!(revoke(&world, lasting.key_id), revoked, "again: no change");
    let other = world.other_vendor("other-shop");
    let (live, text) = create(&world, Actor::System, &read).unwrap();
    let foreign = revoke_at(&world, Actor::System, &other, live.key_id);
    assert!(matches!(foreign, Err(ApiKeyError::Unknown(id)) if id == live.key_id));
    let customer = Actor::Customer(world.register().customer_id);
    let forbidden = revoke_at(&world, customer, &world.vendor, live.key_id);
    assert!(matches!(forbidden, Err(ApiKeyError::Forbidden)));
    assert!(find(&world, &text).is_some());
}

/// A program changes its key: it makes the next one, uses both, and revokes the first.
fn a_key_is_replaced_without_a_gap(db: &TestDb) {
    let world = World::new(db);
    let scopes = [Scope::KeysWrite, Scope::OrdersRead];
    let (first, old) = create(&world, Actor::System, &scopes).unwrap();
    let itself = Actor::Key(first.key_id);
    let (second, fresh) = create(&world, itself, &scopes).unwrap();
    assert_eq!(second.created_by, first.key_id.to_string());
    assert!(find(&world, &old).is_some() && find(&world, &fresh).is_some());
    let itself = Actor::Key(second.key_id);
    revoke_at(&world, itself, &world.vendor, first.key_id).unwrap();
    assert!(find(&world, &old).is_none() && find(&world, &fresh).is_some());
}

fn a_key_gives_no_more_than_it_has(db: &TestDb) {
    let world = World::new(db);
    let scopes = [Scope::KeysWrite, Scope::OrdersRead];
    let (creator, _) = create(&world, Actor::System, &scopes).unwrap();
    let itself = Actor::Key(creator.key_id);
    create(&world, itself, &[Scope::OrdersRead]).unwrap();
    let more = create(&world, itself, &[Scope::OrdersRead, Scope::LedgerRead]);
    assert!(matches!(
        more,
        Err(ApiKeyError::ScopeNotHeld(Scope::LedgerRead))
    ));
    let (reader, _) = create(&world, Actor::System, &[Scope::OrdersRead]).unwrap();
    let none = create(&world, Actor::Key(reader.key_id), &[Scope::OrdersRead]);
    assert!(matches!(
        none,
        Err(ApiKeyError::ScopeNotHeld(Scope::KeysWrite))
    ));
    let other = world.other_vendor("other-shop");
    let foreign = create_at(&world, itself, &other, new(&[Scope::OrdersRead], None));
    assert!(matches!(foreign, Err(ApiKeyError::Unknown(_))));
    revoke(&world, creator.key_id);
    let late = create(&world, itself, &[Scope::OrdersRead]);
    assert!(matches!(late, Err(ApiKeyError::Unknown(_))));
}

fn keys_that_cannot_be_are_refused(db: &TestDb) {
    let world = World::new(db);
    let customer = Actor::Customer(world.register().customer_id);
    let read = [Scope::OrdersRead];
    assert!(matches!(
        create(&world, customer, &read),
        Err(ApiKeyError::Forbidden)
    ));
    let create = |new| create_at(&world, Actor::System, &world.vendor, new);
    assert!(matches!(create(new(&[], None)), Err(ApiKeyError::NoScope)));
    let past = create(new(&read, Some(world.now())));
    assert!(matches!(past, Err(ApiKeyError::ExpiryInPast(at)) if at == world.now()));
    for name in ["", " ", "a\nb", &"x".repeat(101)] {
        let mut new = new(&read, None);
        new.name = name.to_owned();
        assert!(matches!(create(new), Err(ApiKeyError::Text(_))), "{name}");
    }
    let none = world.number("SELECT COUNT(*) FROM api_key WHERE book_id = $1");
    assert_eq!(none, 0);
}

fn keys_are_listed_by_vendor_in_pages(db: &TestDb) {
    let world = World::new(db);
    let other = world.other_vendor("other-shop");
    let read = [Scope::OrdersRead];
    create_at(&world, Actor::System, &other, new(&read, None)).unwrap();
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(create(&world, Actor::System, &read).unwrap().0);
        world.clock.advance_seconds(1);
    }
    made[1] = revoke(&world, made[1].key_id);
    let page = |after, limit| {
        let book = world.book();
        let page = world
            .node
            .engine
            .read(|tx| api_keys(tx, book, after, limit));
        let page = page.unwrap();
        (page.items, page.next)
    };
    assert_eq!(page(None, 10), (made.clone(), None));
    assert_eq!(page(None, 5).1, None);
    let (first, next) = page(None, 2);
    assert_eq!((&first[..], next), (&made[..2], Some(made[1].key_id)));
    let (second, next) = page(next, 2);
    assert_eq!((&second[..], next), (&made[2..4], Some(made[3].key_id)));
    assert_eq!(page(next, 2), (made[4..].to_vec(), None));
}
