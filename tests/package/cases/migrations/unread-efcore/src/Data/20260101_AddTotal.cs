using Microsoft.EntityFrameworkCore.Migrations;
public partial class AddTotal : Migration
{
  protected override void Up(MigrationBuilder b) { b.DropColumn("legacy", "orders"); }
}
