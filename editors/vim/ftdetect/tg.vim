" tg: .tg files are programs, .tgt files transcripts.
autocmd BufNewFile,BufRead *.tg,*.tgt setfiletype tg
