//! Pages about messages and webhooks, for staff and for customers, over HTTP, without script.

use crate::club::{Club, hidden, says};
use crate::receiver::wait_until;
use crate::visitor::Visitor;
use scrip_testkit::TestDb;

both!(
    staff_manage_webhooks,
    staff_see_what_became_of_messages,
    customers_choose_what_they_hear_of,
);

const STAFF: &str = "/shops/club/staff";

/// A secret is shown once, a trial is listed with its answer, and who may not change sees no button.
fn staff_manage_webhooks(db: &TestDb) {
    let club = Club::start(db);
    let staff = club.staff("manager");
    let list = format!("{STAFF}/webhooks");
    let empty = says(
        &staff.get(&list),
        200,
        &["No endpoints yet", "Add an endpoint"],
    );
    let key = hidden(&empty, "key");
    let fields = [
        ("url", "https://shop.invalid/hook?a=1&b=<2>"),
        ("description", "Till <b>one</b>"),
        ("topic", "order.completed"),
        ("topic", "webhook.unknown"),
        ("key", key.as_str()),
    ];
    says(
        &staff.post(&list, &fields),
        422,
        &["This was not done.", "No topic is called"],
    );
    let fields = [fields[0], fields[1], fields[2], ("key", "another")];
    let made = says(&staff.post(&list, &fields), 200, &["whsec_", "only once"]);
    let again = says(
        &staff.post(&list, &fields),
        200,
        &["This secret was shown already"],
    );
    assert!(!again.contains("whsec_") && made.contains("btn main"));
    let listed = says(
        &staff.get(&list),
        200,
        &[
            "Till &#60;b&#62;one&#60;/b&#62;",
            "order.completed",
            "Enabled",
        ],
    );
    assert!(!listed.contains("whsec_"));
    let at = listed.find("/staff/webhooks/whe_").unwrap() + "/staff/webhooks/".len();
    let id = &listed[at..at + 30];
    let page = format!("{list}/{id}");
    let shown = says(
        &staff.get(&page),
        200,
        &["Send a trial", "Nothing was sent"],
    );
    let key = hidden(&shown, "key");
    let tested = staff.post(&format!("{page}/test"), &[("key", &key)]);
    assert_eq!(tested.see(), format!("{page}?done=tested"));
    let listed = wait_until("the trial's answer", || {
        let page = staff.get(&page).page(200).to_owned();
        page.contains("no such host").then_some(page)
    });
    says(
        &staff.get(&format!("{page}?state=done")),
        200,
        &["Nothing was sent"],
    );
    let at = listed.find("/staff/messages/msg_").unwrap();
    let message = &listed[at..at + "/staff/messages/msg_".len() + 26];
    says(
        &staff.get(&format!("/shops/club{message}")),
        200,
        &["Webhook test", "Waits", "no such host"],
    );
    // It is on its way: not sent once more.
    let again = staff.post(&format!("/shops/club{message}/again"), &[("key", "k")]);
    says(&again, 409, &["on its way"]);
    an_endpoint_ends(&club, &staff, &page);
}

/// Who may not change sees no button; a new secret; the end.
fn an_endpoint_ends(club: &Club<'_>, staff: &Visitor, page: &str) {
    let auditor = club.staff("auditor");
    let seen = says(&auditor.get(page), 200, &["order.completed"]);
    assert!(!seen.contains("Send a trial"));
    assert_eq!(
        auditor
            .post(&format!("{page}/test"), &[("key", "k")])
            .status,
        403
    );
    let rotated = staff.post(&format!("{page}/rotate"), &[("key", "r")]);
    says(&rotated, 200, &["whsec_"]);
    says(&staff.get(page), 200, &["the old secret signs until"]);
    let deleted = staff.post(&format!("{page}/delete"), &[("key", "d")]);
    assert_eq!(deleted.see(), format!("{STAFF}/webhooks?done=deleted"));
    assert_eq!(staff.get(page).status, 404);
}

/// The log names no address; odd parts of the list are refused.
fn staff_see_what_became_of_messages(db: &TestDb) {
    let club = Club::start(db);
    let staff = club.staff("cashier");
    let list = format!("{STAFF}/messages");
    says(&staff.get(&list), 200, &["No mail is sent.", "No mails"]);
    says(
        &staff.get(&format!("{list}?state=parked")),
        200,
        &["No mails"],
    );
    for odd in ["?state=nothing", "?before=msg_1", "?other=1"] {
        let answer = staff.get(&format!("{list}{odd}"));
        assert!(
            (400..500).contains(&answer.status),
            "{odd}: {}",
            answer.status
        );
    }
    let nobody = format!("{list}/msg_01kb3v8z9mfxmr4x1qk2s7b0de");
    assert_eq!(staff.get(&nobody).status, 404);
}

/// Languages and kinds are kept; receipts cannot be turned off.
fn customers_choose_what_they_hear_of(db: &TestDb) {
    let club = Club::start(db);
    let member = club.member("Ida", 100);
    let path = "/shops/club/account/messages";
    let shown = says(
        &member.visitor.get(path),
        200,
        &["Language of the mails", "Before tokens expire"],
    );
    assert_eq!(shown.matches(" checked").count(), 4, "{shown}");
    let key = hidden(&shown, "key");
    let fields = [("language", "de"), ("kind", "expiry"), ("key", &key)];
    let done = member.visitor.post(path, &fields);
    assert_eq!(done.see(), format!("{path}?done=yes"));
    let after = says(&member.visitor.get(path), 200, &["value=\"de\" checked"]);
    assert_eq!(after.matches(" checked").count(), 2, "{after}");
    // Sent again with something else in it, and with words that do not exist.
    let other = [("language", "en"), ("key", key.as_str())];
    assert_eq!(member.visitor.post(path, &other).status, 422);
    let odd = [("language", "xx"), ("key", "b")];
    says(
        &member.visitor.post(path, &odd),
        422,
        &["choose one of en, de"],
    );
    let odd = [("language", "en"), ("kind", "nothing"), ("key", "c")];
    assert!((400..500).contains(&member.visitor.post(path, &odd).status));
    let stranger = club.visitor();
    assert_eq!(stranger.get(path).status, 303);
}
