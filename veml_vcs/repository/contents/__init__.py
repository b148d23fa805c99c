"""Files whose content veml understands: tables, arrays, masks, series; compared, merged."""
