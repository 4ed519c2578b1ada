//! Cases of a session store.

use std::time::Duration;

use futures_util::future::join_all;

use wallet_core::edge::{Session, SessionError, SessionId, SessionLife, SessionStore};
use wallet_core::ledger::SessionUser;
use wallet_core::runtime::Clock;
use wallet_core::store::StoreErrorKind;

type Kit = crate::Kit<dyn SessionStore>;

/// 10 seconds idle, one minute in total.
const LIFE: SessionLife = SessionLife {
    idle: Duration::from_secs(10),
    absolute: Duration::from_secs(60),
};

fn user(name: &str) -> SessionUser {
    SessionUser::new(name).unwrap()
}

async fn create(kit: &Kit, name: &str, data: &[u8]) -> (SessionId, Session) {
    kit.port().create(&user(name), data, LIFE).await.unwrap()
}

async fn load(kit: &Kit, id: &SessionId) -> Option<Session> {
    kit.port().load(id).await.unwrap()
}

/// A session reads back with any bytes in its data.
pub async fn a_session_reads_back_whole(kit: &Kit) {
    let all: Vec<u8> = (0..=255).collect();
    let most = vec![0; Session::DATA_BYTES_MAX];
    for (name, data) in [("ada", &all[..]), ("b:\u{e4}|{1}", b""), ("c", &most)] {
        let (id, created) = create(kit, name, data).await;
        let now = kit.clock().now();
        let expected = Session {
            user: user(name),
            data: data.to_vec(),
            version: 1,
            created_at: now,
            seen_at: now,
            expires_at: now.saturating_add(LIFE.idle),
        };
        assert_eq!(created, expected);
        assert_eq!(load(kit, &id).await, Some(expected));
    }
}

/// Ids are unique, also for one user at one time.
pub async fn ids_are_never_the_same(kit: &Kit) {
    let (one, first) = create(kit, "ada", b"1").await;
    let (two, second) = create(kit, "ada", b"2").await;
    let (three, third) = create(kit, "bob", b"3").await;
    assert!(one != two && two != three);
    assert_eq!(load(kit, &one).await, Some(first));
    assert_eq!(load(kit, &two).await, Some(second));
    assert_eq!(load(kit, &three).await, Some(third));
}

/// A guessed id, or one with another user's place, is not signed in.
pub async fn a_stranger_is_not_signed_in(kit: &Kit) {
    let (id, _) = create(kit, "ada", b"x").await;
    let guess = SessionId::new(&user("ada"), [7; 32]);
    assert_eq!(load(kit, &guess).await, None);
    let own = id.reveal();
    let (place, secret) = own.split_at(32);
    let (other, _) = create(kit, "bob", b"y").await;
    let other = other.reveal();
    let (elsewhere, _) = other.split_at(32);
    assert_ne!(place, elsewhere);
    let moved: SessionId = format!("{elsewhere}{secret}").parse().unwrap();
    assert_eq!(load(kit, &moved).await, None);
}

/// A save needs the current version, which rises by one each time.
pub async fn a_save_needs_the_version(kit: &Kit) {
    let (id, created) = create(kit, "ada", b"one").await;
    let saved = kit.port().save(&id, 1, b"two").await.unwrap();
    let expected = Session {
        data: b"two".to_vec(),
        version: 2,
        ..created
    };
    assert_eq!(saved, expected);
    for stale in [0, 1, 3] {
        match kit.port().save(&id, stale, b"no").await {
            Err(SessionError::Conflict { version }) => assert_eq!(version, 2),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(load(kit, &id).await, Some(expected));
    let third = kit.port().save(&id, 2, b"three").await.unwrap();
    assert_eq!((third.version, &third.data[..]), (3, &b"three"[..]));
}

/// Of two concurrent saves one wins. The other gets a `Conflict`.
pub async fn a_save_of_two_at_once_is_one(kit: &Kit) {
    let (id, _) = create(kit, "ada", b"").await;
    for version in 1..=10 {
        let attempts = (0_u8..8).map(|number| {
            let id = &id;
            async move { kit.port().save(id, version, &[number]).await }
        });
        let saved = join_all(attempts).await.into_iter().flatten();
        let saved: Vec<_> = saved.collect();
        assert_eq!(saved.len(), 1);
        assert_eq!(load(kit, &id).await.as_ref(), Some(&saved[0]));
    }
}

/// An idle session ends, exact to the millisecond.
pub async fn an_idle_session_ends(kit: &Kit) {
    let (id, _) = create(kit, "ada", b"x").await;
    kit.advance_ms(9_999);
    assert!(load(kit, &id).await.is_some());
    kit.advance_ms(1);
    assert_eq!(load(kit, &id).await, None);
}

/// A touch extends a session until its absolute expiry, and no longer.
pub async fn a_touch_keeps_it_alive_until_the_absolute_end(kit: &Kit) {
    let (id, created) = create(kit, "ada", b"x").await;
    let end = created.created_at.saturating_add(LIFE.absolute);
    for _ in 0..6 {
        kit.advance_ms(9_900);
        let now = kit.clock().now();
        let touched = kit.port().touch(&id).await.unwrap().unwrap();
        let expected = Session {
            seen_at: now,
            expires_at: now.saturating_add(LIFE.idle).min(end),
            ..created.clone()
        };
        assert_eq!(touched, expected);
        assert_eq!(load(kit, &id).await, Some(expected));
    }
    kit.advance_ms(599);
    assert!(load(kit, &id).await.is_some());
    kit.advance_ms(1);
    assert_eq!(load(kit, &id).await, None);
    assert_eq!(kit.port().touch(&id).await.unwrap(), None);
}

/// Loading and saving do not count as being seen. Only a touch does.
pub async fn looking_and_saving_are_not_being_seen(kit: &Kit) {
    let (id, created) = create(kit, "ada", b"x").await;
    kit.advance_ms(9_000);
    assert_eq!(load(kit, &id).await, Some(created.clone()));
    let saved = kit.port().save(&id, 1, b"y").await.unwrap();
    assert_eq!(saved.expires_at, created.expires_at);
    kit.advance_ms(1_000);
    assert_eq!(load(kit, &id).await, None);
}

/// A revoked session is gone. The user's other sessions are not.
pub async fn a_revoked_session_is_gone(kit: &Kit) {
    let (one, _) = create(kit, "ada", b"1").await;
    let (two, second) = create(kit, "ada", b"2").await;
    assert!(kit.port().revoke(&one).await.unwrap());
    assert!(!kit.port().revoke(&one).await.unwrap());
    assert_eq!(load(kit, &one).await, None);
    assert_eq!(load(kit, &two).await, Some(second));
}

/// All sessions of a user end atomically. Other users' sessions do not.
pub async fn all_sessions_of_a_user_end_together(kit: &Kit) {
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.push(create(kit, "ada", &[number]).await.0);
    }
    let (other, theirs) = create(kit, "bob", b"x").await;
    assert!(kit.port().revoke(&ids[0]).await.unwrap());
    assert_eq!(kit.port().revoke_all(&user("ada")).await.unwrap(), 4);
    for id in &ids {
        assert_eq!(load(kit, id).await, None);
    }
    assert_eq!(kit.port().revoke_all(&user("ada")).await.unwrap(), 0);
    assert_eq!(load(kit, &other).await, Some(theirs));
    let (again, _) = create(kit, "ada", b"back").await;
    assert!(load(kit, &again).await.is_some());
}

/// A user has a limited number of sessions. The least recently seen one makes room.
pub async fn a_user_has_so_many_sessions(kit: &Kit) {
    let mut ids = Vec::new();
    for _ in 0..Session::PER_USER_MAX {
        ids.push(create(kit, "ada", b"").await.0);
        kit.advance_ms(1);
    }
    kit.port().touch(&ids[0]).await.unwrap().unwrap();
    let (last, _) = create(kit, "ada", b"").await;
    for (index, id) in ids.iter().enumerate() {
        let is_there = load(kit, id).await.is_some();
        assert_eq!(is_there, index != 1, "{index}");
    }
    assert!(load(kit, &last).await.is_some());
}

/// An ended session is gone for ever, like one that never existed.
pub async fn what_has_ended_is_gone_for_every_call(kit: &Kit) {
    let (id, _) = create(kit, "ada", b"x").await;
    kit.advance(LIFE.idle);
    assert_eq!(kit.port().touch(&id).await.unwrap(), None);
    let saved = kit.port().save(&id, 1, b"y").await;
    assert!(matches!(saved, Err(SessionError::Ended)), "{saved:?}");
    assert!(!kit.port().revoke(&id).await.unwrap());
    assert_eq!(kit.port().revoke_all(&user("ada")).await.unwrap(), 0);
    let never = SessionId::new(&user("eve"), [1; 32]);
    let saved = kit.port().save(&never, 1, b"y").await;
    assert!(matches!(saved, Err(SessionError::Ended)), "{saved:?}");
}

/// Bad sessions are refused, and nothing of them is stored.
pub async fn bad_sessions_are_invalid(kit: &Kit) {
    let large = vec![0; Session::DATA_BYTES_MAX + 1];
    let answer = kit.port().create(&user("ada"), &large, LIFE).await;
    assert_eq!(answer.unwrap_err().kind(), StoreErrorKind::Invalid);
    let lives = [
        (Duration::ZERO, LIFE.absolute),
        (LIFE.idle, Duration::ZERO),
        (SessionLife::MAX + SessionLife::MIN, LIFE.absolute),
    ];
    for (idle, absolute) in lives {
        let life = SessionLife { idle, absolute };
        let answer = kit.port().create(&user("ada"), b"", life).await;
        assert_eq!(answer.unwrap_err().kind(), StoreErrorKind::Invalid);
    }
    assert_eq!(kit.port().revoke_all(&user("ada")).await.unwrap(), 0);
    let (id, created) = create(kit, "ada", b"x").await;
    match kit.port().save(&id, 1, &large).await {
        Err(SessionError::Store(error)) => assert_eq!(error.kind(), StoreErrorKind::Invalid),
        other => panic!("{other:?}"),
    }
    assert_eq!(load(kit, &id).await, Some(created));
}
