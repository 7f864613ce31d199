//! Where people have signed in from, apart from their sessions: who comes from there is no stranger,
//! also after signing out.

use recado_model::{Timestamp, UserId};

use super::{People, users::normal_email};
use crate::{error::Result, sql::sql};

/// A user has at most so many; the oldest go.
pub const NETWORKS_PER_USER: i64 = 50;

impl People<'_> {
    /// Notes when somebody signed in, and from which network.
    pub async fn logged_in(
        &mut self,
        id: &UserId,
        network: Option<&str>,
        now: Timestamp,
    ) -> Result<()> {
        sql("UPDATE app_user SET last_login_at = $2 WHERE id = $1")
            .bind(id)
            .bind(now)
            .execute(self.conn)
            .await?;
        let Some(network) = network else {
            return Ok(());
        };
        sql(
            "INSERT INTO user_network (user_id, network, seen_at) VALUES ($1, $2, $3) \
             ON CONFLICT (user_id, network) DO UPDATE SET seen_at = excluded.seen_at",
        )
        .bind(id)
        .bind(network)
        .bind(now)
        .execute(self.conn)
        .await?;
        sql(
            "DELETE FROM user_network WHERE user_id = $1 AND network IN ( \
             SELECT network FROM user_network WHERE user_id = $1 \
             ORDER BY seen_at DESC, network LIMIT 1000 OFFSET $2)",
        )
        .bind(id)
        .bind(NETWORKS_PER_USER)
        .execute(self.conn)
        .await?;
        Ok(())
    }

    /// Whether the user of an e-mail has signed in from a network since then. One query, whether there
    /// is such a user or not.
    pub async fn is_known_network(
        &mut self,
        email: &str,
        network: &str,
        since: Timestamp,
    ) -> Result<bool> {
        let row = sql("SELECT COUNT(*) AS n FROM user_network n \
             WHERE n.network = $2 AND n.seen_at >= $3 \
             AND n.user_id = (SELECT u.id FROM app_user u WHERE u.email = $1)")
        .bind(&normal_email(email))
        .bind(network)
        .bind(since)
        .fetch_one(self.conn)
        .await?;
        Ok(row.i64("n")? > 0)
    }

    /// Forgets what is older, at most `limit`. The number removed.
    pub async fn prune_user_networks(&mut self, before: Timestamp, limit: u32) -> Result<u64> {
        sql("DELETE FROM user_network WHERE (user_id, network) IN ( \
             SELECT user_id, network FROM user_network WHERE seen_at < $1 ORDER BY seen_at LIMIT $2)")
        .bind(before)
        .bind(i64::from(limit))
        .execute(self.conn)
        .await
    }
}
