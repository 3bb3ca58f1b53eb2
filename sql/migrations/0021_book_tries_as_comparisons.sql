-- What a try may cost is booked before it is asked, and corrected by its answer, as in comparisons.
update backfill.tries set cost_usd = tries.cost_usd + tries.held_usd;
alter table backfill.tries
drop column held_usd, drop column requests, drop column input_tokens, drop column output_tokens;
