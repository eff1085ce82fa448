class Check < ActiveRecord::Migration[7.1]
  def up
    add_check_constraint :orders, "title IS NOT NULL", :name => "orders_title_not_null", :validate => false
  end

  def down
    remove_check_constraint :orders, :name => "orders_title_not_null"
  end
end
