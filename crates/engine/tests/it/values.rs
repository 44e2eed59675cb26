//! Values go in and come out unchanged, and wrong ones are said to be wrong.

use crate::support::{insert, open};
use scrip_engine::{Error, Param, Read, Row, Store, Value, params};
use scrip_testkit::{TestDb, on_both_engines};

on_both_engines!(values_come_back_as_they_went, |db: &TestDb| {
    let engine = open(db);
    let long: String = "Grüße, 東京, 🪙 'quoted' \"$1\" ?1\n"
        .chars()
        .cycle()
        .take(10_000)
        .collect();
    let bytes: Vec<u8> = (0..=255).cycle().take(3000).collect();
    let rows = vec![
        (i64::MIN, Some(String::new()), Some(Vec::new())),
        (-1, None, None),
        (0, Some(long), Some(bytes)),
        (
            i64::MAX,
            Some("e\u{301} is not é".into()),
            Some(vec![0, 0, 255]),
        ),
    ];
    let written = rows.clone();
    engine
        .write(move |tx| {
            for (i, (n, t, b)) in (0_i64..).zip(&written) {
                tx.put(
                    "INSERT INTO item (id, n, t, b) VALUES ($1, $2, $3, $4)",
                    params![i, *n, t.as_ref(), b.as_ref()],
                )?;
            }
            Ok::<_, Error>(())
        })
        .unwrap();
    let read = engine
        .read(|tx| tx.query("SELECT n, t, b FROM item ORDER BY id", &[]))
        .unwrap();
    let expected: Vec<Row> = rows
        .into_iter()
        .map(|(n, t, b)| {
            let text = t.map_or(Value::Null, Value::Text);
            Row(vec![
                Value::Int(n),
                text,
                b.map_or(Value::Null, Value::Blob),
            ])
        })
        .collect();
    assert_eq!(read, expected);
});

on_both_engines!(parameters_are_found_by_number, |db: &TestDb| {
    let engine = open(db);
    engine.write(|tx| insert(tx, 1, 10)).unwrap();
    let row = engine.read(|tx| {
        tx.query_one(
            "SELECT id, n FROM item WHERE n = $2 AND id = $1 AND n = $2",
            params![1, 10],
        )
    });
    assert_eq!(row.unwrap().int(1).unwrap(), 10);
});

on_both_engines!(
    null_may_come_first_and_another_value_later,
    |db: &TestDb| {
        let engine = open(db);
        engine
            .write(|tx| {
                for (id, t) in [(1, Param::Null), (2, Param::Text("x")), (3, Param::Null)] {
                    tx.put(
                        "INSERT INTO item (id, n, t) VALUES ($1, $2, $3)",
                        &[Param::Int(id), Param::Null, t],
                    )?;
                }
                let rows = tx.query("SELECT t FROM item ORDER BY id", &[])?;
                assert_eq!(rows[1].text(0)?, "x");
                assert_eq!(rows[2].opt_text(0)?, None);
                Ok::<_, Error>(())
            })
            .unwrap();
    }
);

on_both_engines!(a_value_of_another_type_is_refused, |db: &TestDb| {
    let engine = open(db);
    engine.write(|tx| insert(tx, 1, 10)).unwrap();
    for wrong in ["abcdefgh", "x"] {
        // Eight bytes of text must not be taken for a number.
        let answer = engine.write(move |tx| {
            for n in [Param::Int(1), Param::Text(wrong)] {
                tx.execute("UPDATE item SET n = $1 WHERE id = 1", &[n])?;
            }
            Ok::<_, Error>(())
        });
        assert!(matches!(answer, Err(Error::Statement(_))), "{answer:?}");
    }
    assert_eq!(crate::support::items(&engine), [(1, 10)]);
});

on_both_engines!(text_with_a_zero_byte_is_refused, |db: &TestDb| {
    let engine = open(db);
    let answer =
        engine.write(|tx| tx.put("INSERT INTO item (id, t) VALUES (1, $1)", params!["a\0b"]));
    assert!(matches!(answer, Err(Error::Statement(_))), "{answer:?}");
});

on_both_engines!(rows_that_break_the_rules_are_corrupt, |db: &TestDb| {
    let engine = open(db);
    engine
        .write(|tx| {
            insert(tx, 1, 10)?;
            insert(tx, 2, 20)?;
            tx.put("UPDATE item SET t = 'text', b = $1", params![&[1_u8, 2]])
        })
        .unwrap();
    let corrupt = |result: Result<(), Error>| {
        assert!(matches!(result, Err(Error::Corrupt(_))), "{result:?}");
    };
    corrupt(engine.read(|tx| tx.query_opt("SELECT id FROM item", &[]).map(drop)));
    corrupt(engine.read(|tx| tx.query_one("SELECT id FROM item", &[]).map(drop)));
    corrupt(engine.read(|tx| {
        tx.query_one("SELECT id FROM item WHERE id = 9", &[])
            .map(drop)
    }));
    let row = engine
        .read(|tx| tx.query_one("SELECT id, n, t, b FROM item WHERE id = 2", &[]))
        .unwrap();
    corrupt(row.int(2).map(drop));
    corrupt(row.opt_int(3).map(drop));
    corrupt(row.text(0).map(drop));
    corrupt(row.opt_text(3).map(drop));
    corrupt(row.blob(2).map(drop));
    corrupt(row.opt_blob(1).map(drop));
    corrupt(row.uuid(3).map(drop));
    corrupt(row.bool(1).map(drop));
    corrupt(row.int(4).map(drop));
    assert_eq!(row.blob(3).unwrap(), [1, 2]);
    let none = engine
        .read(|tx| tx.query_opt("SELECT id FROM item WHERE id = 9", &[]))
        .unwrap();
    assert_eq!(none, None);
});

on_both_engines!(query_each_stops_at_an_error, |db: &TestDb| {
    let engine = open(db);
    engine
        .write(|tx| (100..5100).try_for_each(|id| insert(tx, id, id)))
        .unwrap();
    let mut seen = 0;
    let stopped = engine.read(|tx| {
        let stopped = tx.query_each("SELECT id FROM item ORDER BY id", &[], &mut |row| {
            seen += 1;
            if row.int(0)? == 110 {
                Err(Error::Closed)
            } else {
                Ok(())
            }
        });
        assert!(matches!(stopped, Err(Error::Closed)));
        // The transaction can go on.
        tx.query_one("SELECT COUNT(*) FROM item", &[])?.int(0)
    });
    assert_eq!((seen, stopped.unwrap()), (11, 5000));
    // In a command too, and what it wrote before stands.
    engine
        .write(|tx| {
            insert(tx, 1, 1)?;
            let stop = tx.query_each("SELECT id FROM item", &[], &mut |_| Err(Error::Closed));
            assert!(stop.is_err());
            insert(tx, 2, 2)
        })
        .unwrap();
    assert_eq!(crate::support::items(&engine).len(), 5002);
});

on_both_engines!(text_sorts_by_its_bytes, |db: &TestDb| {
    let engine = open(db);
    let sorted = engine.write(|tx| {
        for name in ["b", "a", "B", "ä", "Z", "a b", "ab"] {
            tx.put(
                "INSERT INTO meta (name, value) VALUES ($1, '')",
                params![name],
            )?;
        }
        let rows = tx.query("SELECT name FROM meta ORDER BY name", &[])?;
        rows.iter()
            .map(|row| Ok(row.text(0)?.to_owned()))
            .collect::<Result<Vec<_>, Error>>()
    });
    assert_eq!(sorted.unwrap(), ["B", "Z", "a", "a b", "ab", "b", "ä"]);
});
