//! The floor of the purchase benchmark on PostgreSQL: one hand-written PL/pgSQL function per
//! purchase, on tables of its own with the rows that a purchase of ours writes. It checks the
//! idempotency key and the balance under the wallet's row lock, reads two prices, and leaves out
//! what Scrip does besides: other grants, restrictions, proofs, encryption.

use crate::failure::Failure;
use scrip_engine::Error as EngineError;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, NoTls};

const SETUP: &str = "
DROP SCHEMA IF EXISTS scrip_floor CASCADE;
CREATE SCHEMA scrip_floor;
SET search_path = scrip_floor;
CREATE TABLE wallet (id BIGINT PRIMARY KEY, head BIGINT NOT NULL, balance BIGINT NOT NULL)
    WITH (fillfactor = 70);
CREATE TABLE lot (account BIGINT, grant_id BIGINT, remaining BIGINT NOT NULL,
    PRIMARY KEY (account, grant_id)) WITH (fillfactor = 70);
CREATE TABLE offer (id BIGINT PRIMARY KEY, sku TEXT NOT NULL, title TEXT NOT NULL,
    price BIGINT NOT NULL);
CREATE TABLE entry (id BIGINT PRIMARY KEY, event BYTEA NOT NULL, code TEXT NOT NULL,
    actor TEXT NOT NULL, reference TEXT NOT NULL, effective_at BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL, transfers BIGINT NOT NULL, digest BYTEA NOT NULL);
CREATE TABLE transfer (id BIGINT PRIMARY KEY, entry BIGINT NOT NULL, debit BIGINT NOT NULL,
    credit BIGINT NOT NULL, asset BIGINT NOT NULL, amount BIGINT NOT NULL, grant_id BIGINT NOT NULL,
    previous BIGINT NOT NULL, balance BIGINT NOT NULL);
CREATE TABLE orders (id BYTEA PRIMARY KEY, customer BIGINT NOT NULL, state TEXT NOT NULL,
    total BIGINT NOT NULL, lines BIGINT NOT NULL, entry BIGINT NOT NULL, actor TEXT NOT NULL,
    effective_at BIGINT NOT NULL, recorded_at BIGINT NOT NULL);
CREATE TABLE order_line (order_id BYTEA, no BIGINT, offer BIGINT NOT NULL, sku TEXT NOT NULL,
    title TEXT NOT NULL, kind TEXT NOT NULL, quantity BIGINT NOT NULL, price BIGINT NOT NULL,
    amount BIGINT NOT NULL, PRIMARY KEY (order_id, no));
CREATE TABLE outbox (id BIGINT PRIMARY KEY, topic TEXT NOT NULL, subject BYTEA NOT NULL,
    payload TEXT NOT NULL, created_at BIGINT NOT NULL);
CREATE TABLE idempotency (key_hash BYTEA PRIMARY KEY, request_hash BYTEA NOT NULL,
    answer BYTEA NOT NULL, expires_at BIGINT NOT NULL);
CREATE SEQUENCE numbers CACHE 1000;
CREATE FUNCTION purchase(key BYTEA, request BYTEA, buyer BIGINT, first BIGINT, second BIGINT)
RETURNS BYTEA LANGUAGE plpgsql AS $$
DECLARE
    stored BYTEA; w wallet; a offer; b offer; total BIGINT; n BIGINT;
    id BYTEA := uuid_send(gen_random_uuid());
    now_us BIGINT := (extract(epoch FROM clock_timestamp()) * 1000000)::BIGINT;
BEGIN
    SELECT answer INTO stored FROM idempotency WHERE key_hash = key;
    IF FOUND THEN RETURN stored; END IF;
    SELECT * INTO a FROM offer o WHERE o.id = first;
    SELECT * INTO b FROM offer o WHERE o.id = second;
    total := a.price + 2 * b.price;
    SELECT * INTO w FROM wallet x WHERE x.id = buyer FOR UPDATE;
    IF w.balance < total THEN RAISE EXCEPTION 'short'; END IF;
    n := nextval('numbers');
    UPDATE lot SET remaining = remaining - total
        WHERE account = buyer AND grant_id = 1 AND remaining >= total;
    IF NOT FOUND THEN RAISE EXCEPTION 'short'; END IF;
    UPDATE wallet x SET head = n, balance = balance - total WHERE x.id = buyer;
    INSERT INTO entry VALUES (n, id, 'order', 'cus_00000000000000000000000000',
        'ord_00000000000000000000000000', now_us, now_us, 1, id);
    INSERT INTO transfer VALUES (n, n, buyer, 0, 1, total, 1, w.head, w.balance - total);
    INSERT INTO orders VALUES (id, buyer, 'completed', total, 2, n,
        'cus_00000000000000000000000000', now_us, now_us);
    INSERT INTO order_line VALUES
        (id, 1, first, a.sku, a.title, 'purchase', 1, a.price, a.price),
        (id, 2, second, b.sku, b.title, 'purchase', 2, b.price, 2 * b.price);
    INSERT INTO outbox VALUES (n, 'order.completed', id, '{}', now_us);
    INSERT INTO idempotency VALUES (key, request, decode(repeat('5a', 600), 'hex'), now_us);
    RETURN id;
END $$;
INSERT INTO offer SELECT i, 'item-' || i, 'Item number ' || i, 100 FROM generate_series(0, 99) i;";

/// The function on its connections.
pub struct Function {
    url: String,
    connections: usize,
    customers: usize,
    next: Arc<AtomicUsize>,
}

fn failed(e: tokio_postgres::Error) -> Failure {
    let text = e
        .as_db_error()
        .map_or_else(|| e.to_string(), |db| db.message().to_owned());
    Failure::Database(EngineError::Unavailable(text))
}

fn connect(url: &str) -> Result<(Runtime, Client), Failure> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::Database(EngineError::Unavailable(e.to_string())))?;
    let client = runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.map_err(failed)?;
        tokio::spawn(async move { drop(connection.await) });
        Ok::<_, Failure>(client)
    })?;
    Ok((runtime, client))
}

impl Function {
    /// Makes the schema, with a wallet per customer.
    pub fn new(url: &str, connections: usize, customers: usize) -> Result<Self, Failure> {
        let (runtime, client) = connect(url)?;
        let fill = format!(
            "INSERT INTO wallet SELECT i, 0, 1000000000000 FROM generate_series(1, {customers}) i;
             INSERT INTO lot SELECT i, 1, 1000000000000 FROM generate_series(1, {customers}) i;
             ANALYZE;"
        );
        runtime
            .block_on(client.batch_execute(SETUP))
            .map_err(failed)?;
        runtime
            .block_on(client.batch_execute(&fill))
            .map_err(failed)?;
        let next = Arc::new(AtomicUsize::new(0));
        Ok(Function {
            url: url.to_owned(),
            connections,
            customers,
            next,
        })
    }

    /// Makes `total` purchases; purchases per second.
    pub fn run(&mut self, total: usize) -> Result<f64, Failure> {
        let mut clients = Vec::new();
        for _ in 0..self.connections {
            let (runtime, client) = connect(&self.url)?;
            let call = "SELECT scrip_floor.purchase($1, $2, $3, $4, $5)";
            runtime
                .block_on(client.batch_execute("SET search_path = scrip_floor"))
                .map_err(failed)?;
            let call = runtime.block_on(client.prepare(call)).map_err(failed)?;
            clients.push((runtime, client, call));
        }
        let end = self.next.load(Ordering::Relaxed) + total;
        let begun = Instant::now();
        let threads: Vec<_> = clients
            .into_iter()
            .map(|(runtime, client, call)| {
                let (next, customers) = (self.next.clone(), self.customers);
                std::thread::spawn(move || {
                    loop {
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        if n >= end {
                            return Ok::<(), Failure>(());
                        }
                        let key = (n as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060);
                        let key = key.to_le_bytes();
                        let buyer = (n * 7919 % customers + 1) as i64;
                        let (first, second) = ((n % 100) as i64, ((n + 1) % 100) as i64);
                        runtime
                            .block_on(
                                client
                                    .query(&call, &[&&key[..], &&key[..], &buyer, &first, &second]),
                            )
                            .map_err(failed)?;
                    }
                })
            })
            .collect();
        for thread in threads {
            thread
                .join()
                .map_err(|_| Failure::Refused("a benchmark thread panicked".into()))??;
        }
        self.next.store(end, Ordering::Relaxed);
        Ok(total as f64 / begun.elapsed().as_secs_f64())
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // A schema that stays behind is a nuisance, not a failure.
        if let Ok((runtime, client)) = connect(&self.url) {
            drop(runtime.block_on(client.batch_execute("DROP SCHEMA scrip_floor CASCADE")));
        }
    }
}
