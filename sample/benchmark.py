"""A small benchmark of word problems, written for this sample and found nowhere else."""

BENCHMARK, SPLIT = "sample-word-problems", "test"

# (question, answer). Most have 15 to 60 words; the last ones 3 to 9, where a
# decontamination rule must match the whole question.
QUESTIONS: tuple[tuple[str, str], ...] = (
    ("Marta packs 14 jars of plum jam into each of 9 crates and keeps 5 jars for her own kitchen. "
     "How many jars of plum jam did Marta cook that autumn?", "131"),
    ("A ferry leaves the north pier every 35 minutes starting at six in the morning. Oskar reaches the pier "
     "at ten past nine. How many minutes must he wait for the next ferry?", "20"),
    ("The baker Ilse sells 48 poppy rolls on Monday and on every following day 6 rolls more than on the day before. "
     "How many poppy rolls does she sell from Monday to Friday altogether?", "300"),
    ("A rain barrel holds 220 litres. It loses 3 litres a day through a crack while Tomasz pours in 8 litres each "
     "evening. After how many days is the empty barrel first full?", "44"),
    ("Nadia reads 17 pages of a travel diary before breakfast and twice as many after supper. The diary has 459 pages. "
     "In how many days will she have read all of it?", "9"),
    ("Three sisters share 540 hazelnuts so that the middle one gets twice as many as the youngest and the eldest "
     "gets three times as many as the youngest. How many hazelnuts does the eldest get?", "270"),
    ("A clockmaker repairs 4 cuckoo clocks in 6 hours when working alone. With an apprentice she repairs 7 clocks in "
     "the same time. How many clocks would the apprentice repair alone in 24 hours?", "12"),
    ("Pavel walks around a square meadow whose side measures 85 metres and stops for water after every 170 metres. "
     "How many times does he stop during five full laps, counting the finish?", "10"),
    ("In the village choir there are 18 more altos than tenors and half as many basses as altos. If 12 tenors sing, "
     "how many people sing alto, tenor or bass?", "57"),
    ("A knitting pattern needs 160 grams of wool for the body and 45 grams for each sleeve. One skein weighs 50 grams. "
     "How many whole skeins must Greta buy for one sweater?", "5"),
    ("The lighthouse lamp flashes every 12 seconds and the harbour buoy flashes every 18 seconds. They have just "
     "flashed together. How many times will they flash together during the coming hour?", "100"),
    ("Farmer Anouk plants 23 rows of leeks with 31 leeks in each row, and hares eat one leek in every row during "
     "the night. How many leeks are left in the morning?", "690"),
    ("A tram carries 64 passengers. At the museum a quarter of them get off and 10 get on; at the stadium half of "
     "those aboard get off. How many passengers remain in the tram?", "29"),
    ("Jonas builds a tower from wooden cubes with an edge of 4 centimetres. The tower should be as tall as his "
     "sister, who measures 132 centimetres. How many cubes does he need?", "33"),
    ("A beekeeper fills 250-gram glasses from a bucket with 12 kilograms of honey but spills 500 grams on the table. "
     "How many glasses can the beekeeper fill completely?", "46"),
    ("Each of the 26 children at the camp writes one letter to every other child at the camp. "
     "How many letters does the camp's postman have to carry in total?", "650"),
    ("The floor of the old mill is 7 metres long and 5 metres wide. Boards are 20 centimetres wide and lie along the "
     "length of the floor. How many boards of 7 metres are needed?", "25"),
    ("Zofia saves coins of 2 crowns and coins of 5 crowns. She has 30 coins that are worth 96 crowns together. "
     "How many coins of 5 crowns has Zofia saved?", "12"),
    ("A train of 180 metres passes a signal post in 9 seconds. At the same speed, how many seconds does the train "
     "need to cross a viaduct that is 420 metres long?", "30"),
    ("The sum of the ages of a gardener and his two dogs is 61 years. One dog is 3 years older than the other and the "
     "gardener is 46. How old is the younger dog?", "6"),
    ("Two taps fill the village fountain. The first alone needs 4 hours and the second alone needs 12 hours. "
     "How many hours do both taps need when they run together?", "3"),
    ("A carpet seller rolls up a runner of 1500 centimetres. He cuts off pieces of 160 centimetres as long as he can. "
     "How many centimetres of the runner are left over?", "60"),
    ("Of 150 tickets in the lottery drum 12 win a cheese and 3 win a bicycle. What is the probability, as a "
     "reduced fraction, that the first ticket drawn wins something?", "1/10"),
    ("Hugo's scooter uses 3 litres of petrol for 100 kilometres. The petrol costs 2 crowns a litre. How many crowns "
     "does Hugo pay for petrol when he rides to the sea, 350 kilometres away?", "21"),
    ("The number of water lilies on the castle pond doubles every week. After 10 weeks there are 1024 lilies. "
     "After how many weeks were there exactly 64 lilies on the pond?", "6"),
    ("A cook has 5 kinds of soup, 4 main courses and 3 puddings. How many menus of one soup, one main course and one "
     "pudding can be put together without the fish soup?", "48"),
    ("Lena throws two ordinary dice and multiplies the numbers she sees. In how many of the 36 equally likely cases "
     "is the product an odd number?", "9"),
    ("The shadow of a chapel is 21 metres long while a walking stick of 120 centimetres casts a shadow of 90 "
     "centimetres. How many metres high is the chapel?", "28"),
    ("A warehouse shelf carries at most 400 kilograms. On it stand 13 boxes of nails that weigh 24 kilograms each. "
     "How many more boxes of the same kind may be placed on the shelf?", "3"),
    ("Viktor cycles uphill for 40 minutes at 9 kilometres an hour and then returns the same way in 15 minutes. "
     "What is his average speed on the way back in kilometres an hour?", "24"),
    ("When a class stands in rows of 4, one pupil is left over; in rows of 5, two pupils are left over. The class has "
     "more than 17 and fewer than 40 pupils. How many pupils has it?", "37"),
    ("A spider climbs 30 centimetres up a well during the day and slides back 10 centimetres at night. The well is "
     "210 centimetres deep. On which day does the spider reach the rim?", "10"),
    ("Four painters need 6 days for the school fence. After 2 days one of them falls ill and stays away. "
     "How many further days do the others need, rounded up to whole days?", "6"),
    ("The potter Ama fires bowls in kilns of 16. She has glazed 203 bowls since spring. How many firings does she need "
     "and how many places stay empty in the last one?", "13 firings, 5 places"),
    ("What is 17 times 23 minus 91?", "300"),
    ("Find the largest prime below 200.", "199"),
    ("How many diagonals has a nonagon?", "27"),
    ("Simplify eighteen forty-fifths completely.", "two fifths"),
    ("Solve 5x + 12 = 3x + 40.", "14"),
    ("Compute the cube of nineteen.", "6859"),
)  # fmt: skip


def rows() -> list[dict[str, str]]:
    """benchmark, split, id, question, answer: one row a question."""
    return [
        {"benchmark": BENCHMARK, "split": SPLIT, "id": f"q{n:02}", "question": question, "answer": answer}
        for n, (question, answer) in enumerate(QUESTIONS, start=1)
    ]
