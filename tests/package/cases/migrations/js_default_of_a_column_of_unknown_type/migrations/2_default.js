exports.up = async function (knex) {
  await knex.schema.alterTable('letters', function (t) {
    t.string('colour', 50).nullable().defaultTo('accent').alter();
  });
};
