class A1700000000001 {
  async up({ queryRunner, escape }) {
    await queryRunner.query(`ALTER TABLE ${escape.tableName('users')} ADD COLUMN ${escape.columnName('email')} VARCHAR(36)`);
    await queryRunner.query(`ALTER TABLE ${copyOfTags} RENAME TO ${tags};`);
  }
}
exports.A1700000000001 = A1700000000001;
