autocmd BufRead,BufNewFile *.rv setfiletype recurve
