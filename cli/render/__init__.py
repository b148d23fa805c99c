"""Views: each turns the result of one library function into lines; nothing here prints."""
