class A1700000000001 {
  async up({ queryRunner }) {
    await queryRunner.query(`CREATE INDEX "by_state" ON "orders" ("state")`);
  }
}
exports.A1700000000001 = A1700000000001;
