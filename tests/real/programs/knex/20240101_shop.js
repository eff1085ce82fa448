exports.up = async (knex) => {
  await knex.schema.createTable('t', (table) => { table.increments(); table.string('v').index(); table.integer('n'); });
  await knex('t').insert(Array.from({ length: 300 }, (_, n) => ({ v: `v${n}`, n })));
  await knex.schema.alterTable('t', (table) => { table.string('more').defaultTo('x'); table.dropColumn('n'); });
};
exports.down = (knex) => knex.schema.dropTable('t');
