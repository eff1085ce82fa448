exports.up = async (knex) => {
  await knex.schema.alterTable('letters', (table) => {
    table.string('colour', 50).nullable().defaultTo('accent').alter();
  });
};
exports.down = async (knex) => {
  await knex.schema.alterTable('letters', (table) => {
    table.string('colour', 50).nullable().defaultTo(null).alter();
  });
};
