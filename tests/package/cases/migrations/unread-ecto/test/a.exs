use Ecto.Migration
