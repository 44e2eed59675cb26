//! A customer's personal data, the question that only the customer can answer, and the family, over
//! HTTP, without script.

use crate::club::{Club, Member, PIN, hidden, says};
use scrip_testkit::TestDb;
use serde_json::{Value, json};

both!(
    personal_data_is_seen_changed_and_taken_along,
    an_erased_person_is_signed_out_and_unknown,
    a_question_comes_before_a_new_pin,
    a_parent_funds_caps_and_limits_a_child,
    strangers_are_no_family,
    a_parent_opens_an_account_for_a_child,
);

const PERSON: &str = "/shops/club/account/person";
const EXPORT: &str = "/shops/club/account/export";
const ERASE: &str = "/shops/club/account/erase";
const CHECK: &str = "/shops/club/account/check";
const PIN_PAGE: &str = "/shops/club/account/pin";
const FAMILY: &str = "/shops/club/account/family";

fn export(member: &Member) -> Value {
    let file = member.visitor.get(EXPORT);
    assert_eq!(file.status, 200, "{}", file.text);
    let name = file.headers["content-disposition"].to_str().unwrap();
    assert_eq!(
        name,
        format!("attachment; filename=\"account-{}.json\"", member.number)
    );
    serde_json::from_str(&file.text).unwrap()
}

/// REG-04, REG-13: what is known is shown, changed once for each form, and taken along as a file
/// with every order and movement.
fn personal_data_is_seen_changed_and_taken_along(db: &TestDb) {
    let club = Club::start(db);
    let member = club.member("Ida <b>Berg", 500);
    club.offer("pot", "Clay pot", 60, None);
    let order = club.order(&member.id, &[("pot", 2)]);
    let form = says(
        &member.visitor.get(PERSON),
        200,
        &["Ida &#60;b&#62;Berg", &member.number],
    );
    let key = hidden(&form, "key");
    let change = |name: &str, key: &str| {
        let fields = [("name", name), ("email", "ida@shop.invalid"), ("key", key)];
        member.visitor.post(PERSON, &fields)
    };
    let done = change("Ida Holm", &key);
    says(&member.visitor.get(done.see()), 200, &["Ida Holm"]);
    assert_eq!(change("Ida Holm", &key).see(), done.see(), "sent twice");
    let long = "x".repeat(5_000);
    assert_eq!(change(&long, "another").status, 422);
    let whole = export(&member);
    assert_eq!(whole["personal_data"]["name"], "Ida Holm");
    assert_eq!(whole["personal_data"]["email"], "ida@shop.invalid");
    assert_eq!(whole["account"]["available"], "380");
    assert_eq!(whole["orders"][0]["order"], json!(order));
    let moved: Vec<_> = whole["movements"].as_array().unwrap().iter().collect();
    assert_eq!(moved.len(), 2, "{moved:?}");
    assert_eq!(moved[0]["tokens"], "-120");
}

/// REG-13: erasing needs a tick; then the name is gone, the visit is over, and tokens that are left
/// are reached by number and PIN.
fn an_erased_person_is_signed_out_and_unknown(db: &TestDb) {
    let club = Club::start(db);
    let member = club.member("Ida Berg", 500);
    let unsure = member.visitor.post(ERASE, &[("key", "unsure")]);
    says(&unsure, 422, &["Nothing was erased.", "Ida Berg"]);
    let sure = [("key", "sure"), ("sure", "yes")];
    says(
        &member.visitor.post(ERASE, &sure),
        200,
        &["stays open without a name", &member.number],
    );
    let away = member.visitor.get(PERSON);
    assert!(away.see().starts_with("/shops/club/sign-in"), "signed out");
    let again = Member {
        visitor: club.signed_in(&member.number),
        ..member
    };
    let page = says(&again.visitor.get(PERSON), 200, &[&again.number]);
    assert!(!page.contains("Ida Berg"), "{page}");
    let whole = export(&again);
    assert!(!whole.to_string().contains("Ida"), "{whole}");
    assert_eq!(whole["account"]["available"], "500");
}

/// REG-05, REG-11: where the vendor wants it, the PIN changes only after a right answer.
fn a_question_comes_before_a_new_pin(db: &TestDb) {
    let club = Club::start(db);
    let member = club.member("Ida Berg", 60);
    let registration = json!({"questions": ["First school?"], "step_up": ["pin_change"]});
    let policy = json!({"version": 0, "policy": {"registration": registration}});
    club.api.put("/v1/vendor/policy", &policy).expect(200);
    let fields = [
        ("old", PIN),
        ("new", "90318"),
        ("again", "90318"),
        ("key", "change"),
    ];
    for sent in [
        member.visitor.get(PIN_PAGE),
        member.visitor.post(PIN_PAGE, &fields),
    ] {
        assert!(sent.see().starts_with(CHECK), "{}", sent.see());
    }
    says(&member.visitor.get(CHECK), 200, &["First school?"]);
    let answer = |pin: &str, next: &str| {
        let fields = [("pin", pin), ("answer_1", "Oak Lane"), ("next", next)];
        member.visitor.post(CHECK, &fields)
    };
    says(&answer("99999", PIN_PAGE), 422, &["This is not right."]);
    assert_eq!(answer(PIN, PIN_PAGE).see(), PIN_PAGE);
    says(&member.visitor.get(PIN_PAGE), 200, &["The PIN as it is"]);
    let elsewhere = member
        .visitor
        .get(&format!("{CHECK}?next=https://else.invalid/"));
    assert_eq!(elsewhere.see(), "/shops/club/account", "never elsewhere");
    let again = [&fields[..3], &[("key", "again")]].concat();
    assert_eq!(
        member.visitor.post(PIN_PAGE, &again).see(),
        "/shops/club/account?done=pin"
    );
    let trail = club.api.get("/v1/audit?action=customer.pin");
    assert_eq!(trail.expect(200)["items"][0]["subject"], json!(member.id));
}

/// ADV-01, ADV-02: the child agrees; the parent gives tokens, caps and limits; orders beyond that
/// are refused, and take nothing.
fn a_parent_funds_caps_and_limits_a_child(db: &TestDb) {
    let club = Club::start(db);
    let (parent, child) = (club.member("Ida", 500), club.member("Tim", 60));
    club.offer("pot", "Clay pot", 40, None);
    let post = |who: &Member, fields: &[(&str, &str)]| {
        let key = fields.iter().map(|(_, value)| *value).collect::<String>();
        let fields = [fields, &[("key", key.as_str())]].concat();
        who.visitor.post(FAMILY, &fields)
    };
    let done = |act: &str| format!("{FAMILY}?done={act}");
    let invited = post(&parent, &[("act", "invite"), ("number", &child.number)]);
    assert_eq!(invited.see(), done("invite"));
    let asks = format!("Account {} asks to be your parent", parent.number);
    says(&child.visitor.get(FAMILY), 200, &[&asks]);
    let agreed = post(&child, &[("act", "accept"), ("id", &parent.id)]);
    assert_eq!(agreed.see(), done("accept"));
    let of_child = |fields: &[(&str, &str)]| {
        let fields = [&[("id", child.id.as_str())], fields].concat();
        post(&parent, &fields)
    };
    let funded = of_child(&[("act", "fund"), ("tokens", "100")]);
    assert_eq!(funded.see(), done("fund"));
    assert_eq!(club.available(&child.id), "160");
    assert_eq!(club.available(&parent.id), "400");
    let too_many = of_child(&[("act", "fund"), ("tokens", "401")]);
    says(&too_many, 422, &["This was not done."]);
    let refused = |code: &str| {
        let lines = json!([{"sku": "pot", "quantity": 2}]);
        let body = json!({"customer_id": child.id, "lines": lines});
        assert_eq!(club.api.post("/v1/orders", &body).expect(403)["code"], code);
        assert_eq!(club.available(&child.id), "160");
    };
    let capped = of_child(&[("act", "limits"), ("day", "79"), ("limited", "no")]);
    assert_eq!(capped.see(), done("limits"));
    refused("over_cap");
    let limited = [
        ("act", "limits"),
        ("limited", "yes"),
        ("category", "Books"),
        ("category", "Toys"),
    ];
    assert_eq!(of_child(&limited).see(), done("limits"));
    refused("not_allowed");
    says(&child.visitor.get(FAMILY), 200, &["Books, Toys"]);
    assert_eq!(of_child(&[("act", "end")]).see(), done("end"));
    club.order(&child.id, &[("pot", 2)]);
}

/// ADV-02: another's child is out of reach, and nobody becomes a parent unasked.
fn strangers_are_no_family(db: &TestDb) {
    let club = Club::start(db);
    let (ida, tim) = (club.member("Ida", 500), club.member("Tim", 60));
    let tries: [[(&str, &str); 3]; 8] = [
        [("act", "fund"), ("id", &tim.id), ("tokens", "10")],
        [("act", "limits"), ("id", &tim.id), ("day", "0")],
        [("act", "end"), ("id", &tim.id), ("day", "")],
        [("act", "accept"), ("id", &tim.id), ("day", "")],
        [("act", "invite"), ("number", &ida.number), ("id", "")],
        [("act", "invite"), ("number", "12"), ("id", "")],
        [("act", "fund"), ("id", "nobody"), ("tokens", "10")],
        [("act", "jump"), ("id", ""), ("tokens", "")],
    ];
    for (nth, fields) in tries.iter().enumerate() {
        let key = format!("try-{nth}");
        let sent = [&fields[..], &[("key", key.as_str())]].concat();
        let answer = ida.visitor.post(FAMILY, &sent);
        says(&answer, 422, &["This was not done."]);
    }
    assert_eq!(club.available(&ida.id), "500");
    assert_eq!(club.available(&tim.id), "60");
}

/// ADV-02: from the family page, without an account before; sent twice it opens one.
fn a_parent_opens_an_account_for_a_child(db: &TestDb) {
    let club = Club::start(db);
    let parent = club.member("Ida Berg", 500);
    let here = "/shops/club/account/family/child";
    let form = says(
        &parent.visitor.get(here),
        200,
        &["An account for a child", "Name"],
    );
    let key = hidden(&form, "key");
    let send = |pin: &str, again: &str| {
        let fields = [
            ("name", "Kim Berg"),
            ("pin", pin),
            ("pin_again", again),
            ("key", key.as_str()),
        ];
        parent.visitor.post(here, &fields)
    };
    says(
        &send("1234", "1234"),
        422,
        &["No account was opened.", "Kim Berg"],
    );
    says(&send("83051", "83052"), 422, &["The two PINs differ"]);
    let done = send("83051", "83051");
    assert_eq!(done.see(), "/shops/club/account/family?done=registered");
    assert_eq!(send("83051", "83051").see(), done.see());
    let family = parent.visitor.get(done.see());
    let family = says(&family, 200, &["s account is open.", "Child "]);
    let children: Vec<_> = family.split("<h2>Child ").skip(1).collect();
    assert_eq!(children.len(), 1, "sent twice, opened once");
    let number = children[0].split('<').next().unwrap();
    let child = club.visitor();
    let fields = [("name", number), ("secret", "83051")];
    assert_eq!(
        child.post("/shops/club/sign-in", &fields).see(),
        "/shops/club/shop"
    );
    says(&child.get(FAMILY), 200, &["What you may spend"]);
}
