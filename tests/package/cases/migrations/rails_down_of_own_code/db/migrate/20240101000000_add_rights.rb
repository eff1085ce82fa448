class AddRights < ActiveRecord::Migration[7.0]
  RIGHTS = [:read, :write].freeze

  def up
    add_column :tokens, :read, :boolean, :default => false
    add_column :tokens, :write, :boolean, :default => false
  end

  def down
    RIGHTS.each do |right|
      drop_right(right)
    end
  end
end
