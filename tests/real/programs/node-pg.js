// node-postgres: strings of several, prepared by name, a cursor, COPY, an error in a transaction; prints what it saw.
const { Client } = require('pg');
const Cursor = require('pg-cursor');
const { from, to } = require('pg-copy-streams');
const { pipeline } = require('node:stream/promises');
const { Readable } = require('node:stream');

async function main() {
  const line = new Client({ connectionString: process.env.DATABASE_URL });
  line.on('notice', (one) => console.log('notice', one.code, one.message));
  await line.connect();
  const said = async (what, ...query) => {
    try {
      const answer = await line.query(...query);
      for (const one of [answer].flat()) console.log(what, one.command, one.rowCount, JSON.stringify(one.rows));
    } catch (error) {
      console.log(what, 'refused', error.code, error.position, error.message);
    }
  };
  await said('several', "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT g, 'v' FROM generate_series(1, 500) g; SELECT count(*) FROM t");
  for (let n = 0; n < 3; n++) await said('named', { name: 'ins', text: 'INSERT INTO t VALUES ($1, $2) RETURNING id', values: [1000 + n, 'n'] });
  await said('alter', 'ALTER TABLE t ADD COLUMN a int');
  await said('alter, extended', { text: 'ALTER TABLE t ADD COLUMN b int', values: [], queryMode: 'extended' });
  await said('begin', 'BEGIN');
  await said('in', 'ALTER TABLE t ADD COLUMN gone int');
  await said('fails', 'SELECT 1/0');
  await said('still', 'SELECT 1');
  await said('end', 'COMMIT');
  await said('position', 'SELECT é, nope FROM t');
  await said('position in a string', 'ALTER TABLE t ADD COLUMN u int; DROP TABLE IF EXISTS nix; SELECT nope FROM t');
  await said('index', 'CREATE INDEX CONCURRENTLY tv ON t (v)');
  await Promise.all([said('at once', 'ALTER TABLE t ADD COLUMN c int'), said('at once', 'SELECT 2'), said('at once', 'SELECT 1/0'), said('at once', 'SELECT 3')]);
  const cursor = line.query(new Cursor('SELECT id FROM t ORDER BY id'));
  let total = 0;
  for (let rows = await cursor.read(100); rows.length; rows = await cursor.read(100)) total += rows.length;
  await cursor.close();
  console.log('cursor', total);
  await pipeline(Readable.from((function* () { for (let n = 5000; n < 9000; n++) yield `${n}\tx\n`; })()), line.query(from('COPY t (id, v) FROM STDIN')));
  let size = 0;
  const out = line.query(to('COPY t TO STDOUT'));
  for await (const part of out) size += part.length;
  console.log('copied', size);
  await line.end();
}
main();
