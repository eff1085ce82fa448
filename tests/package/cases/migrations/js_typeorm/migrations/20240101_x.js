export class X1700000000000 {
  async up(queryRunner) {
    await queryRunner.query(`ALTER TABLE "orders" DROP COLUMN "note"`);
  }
  async down(queryRunner) {
    await queryRunner.query(`ALTER TABLE "orders" ADD "note" text`);
  }
}
