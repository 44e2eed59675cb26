//! A read transaction that is watched: how many queries a function makes, and on SQLite how each
//! of them is answered.

use scrip_engine::{Param, Query, Read, Result, Row, Timestamp};

/// Counts the queries that go through it and keeps the plan of each.
pub struct Watched<'a> {
    tx: &'a mut dyn Read,
    /// Queries so far.
    pub queries: usize,
    /// What SQLite does for them, line by line; empty on PostgreSQL.
    pub plans: Vec<String>,
}

impl<'a> Watched<'a> {
    pub fn new(tx: &'a mut dyn Read) -> Watched<'a> {
        Watched {
            tx,
            queries: 0,
            plans: Vec::new(),
        }
    }

    /// Steps that go through all rows of a book, or of a table.
    pub fn walks(&self) -> Vec<&str> {
        let walks = |p: &&str| p.starts_with("SCAN") || p.ends_with("(book_id=?)");
        self.plans
            .iter()
            .map(String::as_str)
            .filter(walks)
            .collect()
    }

    fn watch(&mut self, sql: &str, params: &[Param<'_>]) -> Result<()> {
        self.queries += 1;
        // Only one of the engines commits numbers in order, and only it explains in this way.
        if !self.tx.numbers_commit_in_order() {
            return Ok(());
        }
        let explain: &'static str = Box::leak(format!("EXPLAIN QUERY PLAN {sql}").into_boxed_str());
        for row in self.tx.query(explain, params)? {
            self.plans.push(row.text(3)?.to_owned());
        }
        Ok(())
    }
}

impl Read for Watched<'_> {
    fn now(&self) -> Timestamp {
        self.tx.now()
    }

    fn numbers_commit_in_order(&self) -> bool {
        self.tx.numbers_commit_in_order()
    }

    fn query(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<Vec<Row>> {
        self.watch(sql, params)?;
        self.tx.query(sql, params)
    }

    fn query_all(&mut self, queries: &[Query<'_>]) -> Result<Vec<Vec<Row>>> {
        for (sql, params) in queries {
            self.watch(sql, params)?;
        }
        self.tx.query_all(queries)
    }

    fn query_each(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        each: &mut dyn FnMut(Row) -> Result<()>,
    ) -> Result<()> {
        self.watch(sql, params)?;
        self.tx.query_each(sql, params, each)
    }
}
