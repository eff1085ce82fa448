class Fill < ActiveRecord::Migration[7.0]
  def up
    execute "UPDATE orders SET state = 'new' WHERE state = ''"
  end

  def down
    # no way back
    say "nothing to take back"
  end
end
