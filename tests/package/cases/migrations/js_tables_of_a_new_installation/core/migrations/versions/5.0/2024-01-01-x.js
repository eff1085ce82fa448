module.exports.up = async (knex) => {
  await knex.schema.dropTable('notes');
};
