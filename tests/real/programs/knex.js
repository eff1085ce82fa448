// knex's own migrator: up to the newest, back by one, up again; prints what it saw.
const knex = require('knex')({ client: 'pg', connection: process.env.DATABASE_URL, migrations: { directory: `${__dirname}/knex` } });

async function main() {
  console.log(JSON.stringify(await knex.migrate.latest()).replaceAll(__dirname, ''));
  console.log(JSON.stringify(await knex.migrate.down()).replaceAll(__dirname, ''));
  console.log(JSON.stringify(await knex.migrate.latest()).replaceAll(__dirname, ''));
  console.log(await knex('t').count());
  await knex.destroy();
}
main();
