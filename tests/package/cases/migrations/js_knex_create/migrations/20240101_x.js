exports.up = async (knex) => {
  await knex.schema.createTable('a', (t) => { t.increments('id'); t.string('b'); });
  await knex.raw('TRUNCATE x');
};
exports.down = async (knex) => { await knex.schema.dropTable('a'); };
