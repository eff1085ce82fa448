// postgres.js: pipelines by itself, unsafe strings, begin and savepoint; prints what it saw.
const postgres = require('postgres');

async function main() {
  const sql = postgres(process.env.DATABASE_URL, { max: 1, onnotice: (one) => console.log('notice', one.code, one.message) });
  const said = async (what, job) => {
    try { console.log(what, JSON.stringify(await job)); } catch (error) { console.log(what, 'refused', error.code, error.position, error.message); }
  };
  await said('several', sql.unsafe("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a'); SELECT * FROM t"));
  await said('alter', sql`ALTER TABLE t ADD COLUMN a int`);
  await said('insert', sql`INSERT INTO t ${sql([{ id: 2, v: 'b' }, { id: 3, v: 'c' }])} RETURNING id`);
  await Promise.all(Array.from({ length: 20 }, (_, n) => said('pipelined', sql`INSERT INTO t (id, v) VALUES (${100 + n}, 'p') RETURNING id`)));
  await said('begin', sql.begin(async (tx) => {
    await tx`ALTER TABLE t ADD COLUMN b int`;
    await tx.savepoint(async (inner) => { await inner`ALTER TABLE t ADD COLUMN gone int`; throw new Error('no'); }).catch((error) => console.log('inner', error.message));
    return tx`SELECT count(*) FROM t`;
  }));
  await said('failing begin', sql.begin((tx) => [tx`ALTER TABLE t ADD COLUMN d int`, tx`SELECT 1/0`]));
  await said('index', sql`CREATE INDEX CONCURRENTLY tv ON t (v)`);
  await said('simple', sql`ALTER TABLE t ADD COLUMN e int; SELECT 1; SELECT nope`.simple());
  const stopped = sql`SELECT pg_sleep(20)`.execute();
  setTimeout(() => stopped.cancel(), 400);
  await said('cancelled', stopped);
  let rows = 0;
  await sql`SELECT * FROM t ORDER BY id`.cursor(7, (some) => { rows += some.length; });
  console.log('cursor', rows);
  await sql.end();
}
main();
