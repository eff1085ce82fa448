export class X1600000000000 {
  async up({ queryRunner, tablePrefix }) {
    await queryRunner.query(`CREATE TABLE \`${tablePrefix}counts\` ("name" VARCHAR(128) NOT NULL)`);
  }
  async down({ queryRunner, tablePrefix }) {
    await queryRunner.query(`DROP TABLE "${tablePrefix}counts"`);
  }
}
