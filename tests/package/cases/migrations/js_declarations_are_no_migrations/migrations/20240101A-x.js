export async function up(knex) {
  await knex.schema.dropTable('notes');
}
export async function down(knex) {
  await knex.schema.createTable('notes', (table) => { table.increments(); });
}
