//! How a transaction ends for good, and who hears of it.

use std::sync::{Arc, atomic::Ordering};

use crate::{
    db::{Conn, Held, Inner, Touched},
    error::Result,
    sql::sql,
};

impl Conn {
    /// Ends a write for good. Dropping it without this undoes all of it. Nothing to do for a read.
    pub async fn commit(mut self) -> Result<()> {
        if self.raises_epoch > 0 {
            // The last row that is taken, whatever the others are: so nobody waits for it holding what its
            // holder waits for.
            sql("UPDATE meta SET n = n + $1 WHERE name = 'epoch'")
                .bind(self.raises_epoch)
                .execute(&mut self)
                .await?;
        }
        // Tells when it is dropped: a caller that gives up in the middle may have committed.
        let _tell = Tell {
            inner: self.store.inner.clone(),
            touched: self.touched,
            rings: self.rings,
        };
        match self.held {
            Held::Sqlite(_) | Held::Postgres(_) => {}
            Held::SqliteTx(tx) => {
                let done = tx.commit().await;
                done.map_err(|error| self.store.failed(error.into(), None))?;
                if !self.relaxed {
                    self.store.settle().await?;
                }
            }
            Held::PostgresTx(tx) => tx.commit().await?,
        }
        Ok(())
    }
}

struct Tell {
    inner: Arc<Inner>,
    touched: Touched,
    rings: bool,
}

impl Drop for Tell {
    fn drop(&mut self) {
        if self.rings {
            self.inner.deliveries.notify_one();
        }
        let slots = &self.inner.instance_changes;
        match &self.touched {
            Touched::Nothing => {}
            Touched::These(these) => {
                for slot in these {
                    slots[*slot].fetch_add(1, Ordering::SeqCst);
                }
            }
            Touched::All => {
                for slot in slots {
                    slot.fetch_add(1, Ordering::SeqCst);
                }
            }
        }
    }
}
