-- What was known of the example beside its gold answer, options, evidence, rule and source. Other answers: a JSON list.
ALTER TABLE traces ADD COLUMN other_answers TEXT NOT NULL DEFAULT '[]';
ALTER TABLE traces ADD COLUMN category TEXT;
ALTER TABLE traces ADD COLUMN difficulty TEXT;
