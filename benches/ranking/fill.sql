-- Fills a database whose tables exist with a year of a very large county: 21,000 units in 2019, of which 20,000 have
-- submitted (one in 25 with a line still open), 500 have a draft and 500 nothing. For SQLite and PostgreSQL.
--
-- It writes what rankings and summaries read (standings and their parts), and evaluations with documents of a usual
-- size, since those must not be read. There are no submissions behind the standings.
BEGIN;

INSERT INTO fiscal_years (year, scheme_id, status, version, created_at, updated_at)
VALUES (2019, 'hunan-2019', 'open', 1, '2020-01-01T00:00:00.000000Z', '2020-01-01T00:00:00.000000Z');

INSERT INTO units (code, name, kind, path, version, created_at, updated_at)
WITH RECURSIVE series (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM series WHERE n < 20999)
SELECT CAST(100000 + n AS TEXT), '第' || CAST(n AS TEXT) || '号预算单位',
       CASE WHEN n % 10 < 5 THEN 'department' WHEN n % 10 < 8 THEN 'institution' WHEN n % 10 < 9 THEN 'town'
            WHEN n % 20 < 10 THEN 'subdistrict' ELSE 'other' END,
       '/' || CAST(100000 + n AS TEXT) || '/', 1, '2020-01-01T00:00:00.000000Z', '2020-01-01T00:00:00.000000Z'
FROM series;

INSERT INTO evaluations (unit_code, year, state, base_data, base_data_version, assessments, assessments_version,
                         created_at, updated_at, submission)
WITH RECURSIVE
    series (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM series WHERE n < 20499),
    doubled (text, times) AS (SELECT '厉行节约，规范公务接待。', 0
                              UNION ALL SELECT text || text, times + 1 FROM doubled WHERE times < 7)
SELECT CAST(100000 + n AS TEXT), 2019,
       CASE WHEN n >= 20000 THEN 'draft' WHEN n % 4 = 0 THEN 'submitted' WHEN n % 4 = 1 THEN 'under_review'
            WHEN n % 4 = 2 THEN 'approved' ELSE 'published' END,
       '{"thrift": "' || text || '"}', 1, '{}', 1,
       '2020-01-01T00:00:00.000000Z', '2020-01-01T00:00:00.000000Z', CASE WHEN n < 20000 THEN 1 ELSE 0 END
FROM series, doubled WHERE times = 7;

-- Points that look like a county's: six lines in ten with full marks, the others with anything, in steps of 0.01.
CREATE TEMPORARY TABLE filled AS
WITH RECURSIVE
    series (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM series WHERE n < 19999),
    indicators (k, section, code, name, weight) AS (VALUES
        (1, 'input', 'in_post_control', '在职人员控制率', 5000000),
        (2, 'input', 'three_public_change', '三公经费变动率', 5000000),
        (3, 'process', 'budget_completion', '预算完成率', 5000000),
        (4, 'process', 'budget_control', '预算控制率', 5000000),
        (5, 'process', 'building_area_control', '新建楼堂馆所面积控制率', 5000000),
        (6, 'process', 'building_cost_control', '新建楼堂馆所投资概算控制率', 5000000),
        (7, 'process', 'public_funds_control', '公用经费控制率', 8000000),
        (8, 'process', 'three_public_control', '三公经费控制率', 7000000),
        (9, 'process', 'procurement_execution', '政府采购执行率', 6000000),
        (10, 'process', 'management_system', '管理制度健全性', 8000000),
        (11, 'process', 'fund_compliance', '资金使用合规性', 6000000),
        (12, 'process', 'disclosure', '预决算信息公开性', 5000000),
        (13, 'output', 'key_work', '重点工作实际完成率', 8000000),
        (14, 'output', 'economic_benefit', '经济效益', 5000000),
        (15, 'output', 'social_benefit', '社会效益', 5000000),
        (16, 'output', 'admin_efficiency', '行政效能', 6000000),
        (17, 'output', 'satisfaction', '社会公众或服务对象满意度', 6000000))
SELECT n, CAST(100000 + n AS TEXT) AS unit_code, section, code, name, weight,
       CASE WHEN n % 25 = 24 AND k = 1 + n % 17 THEN NULL
            WHEN (n * 7919 + k * 104729 + n / 7 * 31) % 100 < 60 THEN weight
            ELSE CAST(weight AS BIGINT) * ((n * 13 + k * 37) % 1000) / 1000 / 10000 * 10000 END AS points
FROM series, indicators;

INSERT INTO standings (year, unit_code, unit_kind, state, submission, scheme_id, grade, points, self_points, low, high)
SELECT 2019, unit_code, kind, state, 1, 'hunan-2019',
       CASE WHEN low <> high THEN NULL WHEN low >= 90000000 THEN 'excellent' WHEN low >= 80000000 THEN 'good'
            WHEN low >= 60000000 THEN 'fair' ELSE 'poor' END,
       CASE WHEN low = high THEN low END, CASE WHEN low = high THEN low END, low, high
FROM (SELECT filled.unit_code, units.kind, evaluations.state,
             SUM(COALESCE(points, 0)) AS low, SUM(COALESCE(points, weight)) AS high
      FROM filled
      JOIN units ON units.code = filled.unit_code
      JOIN evaluations ON evaluations.unit_code = filled.unit_code AND evaluations.year = 2019
      GROUP BY filled.unit_code, units.kind, evaluations.state) AS totals;

INSERT INTO standing_parts (year, unit_code, part, code, unit_kind, name, weight, points)
SELECT 2019, filled.unit_code, 'line', filled.code, units.kind, filled.name, weight, points
FROM filled JOIN units ON units.code = filled.unit_code;

INSERT INTO standing_parts (year, unit_code, part, code, unit_kind, name, weight, points)
SELECT 2019, filled.unit_code, 'section', section, units.kind,
       CASE section WHEN 'input' THEN '投入' WHEN 'process' THEN '过程' ELSE '产出及效率' END,
       SUM(weight), CASE WHEN COUNT(points) = COUNT(*) THEN SUM(points) END
FROM filled JOIN units ON units.code = filled.unit_code
GROUP BY filled.unit_code, section, units.kind;

DROP TABLE filled;
COMMIT;
