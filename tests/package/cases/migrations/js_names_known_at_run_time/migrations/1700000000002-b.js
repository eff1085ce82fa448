class B1700000000002 {
  async up({ queryRunner }) {
    await queryRunner.query(`ALTER TABLE ${table} ALTER COLUMN ${column} TYPE VARCHAR(20);`);
  }
}
exports.B1700000000002 = B1700000000002;
