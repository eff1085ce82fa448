defmodule Relay.Add do
  use Ecto.Migration
  def change, do: drop table(:orders)
end
