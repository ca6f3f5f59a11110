# Writes a unit's files for the year: base-data.json, assessments.json and unit.json in the folder `out`, with reasons.json for what the cross-checks ask.
#
# The figures are invented and consistent: each is reckoned from the unit's number `n` in whole hundredths of a 万元, so
# that parts add up to their totals to the last digit.

function money(hundredths) { return sprintf("\"%d.%02d\"", int(hundredths / 100), hundredths % 100) }
function row3(prior, budget, final) {
    return "{\"prior_final\": " money(prior) ", \"budget\": " money(budget) ", \"final\": " money(final) "}"
}
function row4(prior, prior_budget, budget, final) {
    return "{\"prior_final\": " money(prior) ", \"prior_budget\": " money(prior_budget) \
        ", \"budget\": " money(budget) ", \"final\": " money(final) "}"
}

BEGIN {
    posts = 40 + 3 * n
    in_post = posts - n % 5 + (n == 7 ? 9 : 0)

    # The budget: some units were given more during the year, and all had something left at its end.
    carried_in = 200 * n; initial = 80000 + 2500 * n
    supplementary = int(initial * (n % 6) * 4 / 100)
    carried_out = carried_in + 400 + 1500 * (n % 4) + (n % 10 == 3 ? 6000 : 0)
    spent = carried_in + initial + supplementary - carried_out

    # What was added went into projects. One unit in eight ran over its running costs.
    personnel = int(initial * 58 / 100); running_budget = int(initial * 12 / 100)
    running = running_budget - (n % 8 == 5 ? -300 : 400)
    projects_budget = initial - personnel - running_budget
    projects = spent - personnel - running
    business_budget = int(projects_budget * 7 / 10); operation_budget = projects_budget - business_budget
    business = int(projects * 7 / 10); operation = projects - business
    office = int(running / 2); utilities = int(running / 3); meetings = running - office - utilities
    office_budget = int(running_budget / 2); utilities_budget = int(running_budget / 3)
    meetings_budget = running_budget - office_budget - utilities_budget

    # The three public expenses: most units cut them, and one in nine spends more than its budget.
    vehicles = 900 + 20 * n; reception = 600 + 15 * n
    vehicles_budget = vehicles + 60; reception_budget = reception + 40
    vehicles_final = vehicles - 30; reception_final = reception - 25 + (n % 9 == 4 ? 90 : 0)
    procurement_budget = 4000 + 150 * n; procurement = procurement_budget - (n % 7) * 60

    file = out "/unit.json"
    printf "{\"name\": \"示例县%s\", \"kind\": \"%s\"}\n", name, kind > file

    file = out "/base-data.json"
    print "{" > file
    printf "\"staff\": {\"posts\": %d, \"in_post\": %d, \"retired\": %d},\n", posts, in_post, 11 + n > file
    print "\"vehicles\": {\"approved\": 3, \"actual\": 3}," > file
    print "\"three_public\": {\"vehicle_purchase\": " row4(0, 0, 0, 0) "," > file
    print "  \"vehicle_running\": " row4(vehicles + 10, vehicles + 90, vehicles_budget, vehicles_final) "," > file
    print "  \"overseas_travel\": " row4(0, 0, 0, 0) "," > file
    print "  \"reception\": " row4(reception + 5, reception + 70, reception_budget, reception_final) "," > file
    printf "  \"reception_batches\": {\"prior\": %d, \"current\": %d},\n", 40 + n, 39 + n + (n % 9 == 4 ? 6 : 0) > file
    printf "  \"reception_visitors\": {\"prior\": %d, \"current\": %d}},\n", 400 + 9 * n, 390 + 9 * n + (n % 9 == 4 ? 60 : 0) > file
    print "\"project_expenditure\": {\"business\": " row3(business - 900, business_budget, business) "," > file
    print "  \"operation\": " row3(operation - 100, operation_budget, operation) "," > file
    print "  \"total\": " row3(projects - 1000, projects_budget, projects) "}," > file
    print "\"basic_expenditure\": {\"personnel\": " row3(personnel - 700, personnel, personnel) "," > file
    print "  \"public_funds\": " row3(running - 50, running_budget, running) "," > file
    print "  \"total\": " row3(personnel + running - 750, personnel + running_budget, personnel + running) "}," > file
    print "\"public_funds\": {\"office\": " row3(office - 30, office_budget, office) "," > file
    print "  \"utilities_and_travel\": " row3(utilities - 10, utilities_budget, utilities) "," > file
    print "  \"meetings_and_training\": " row3(meetings - 10, meetings_budget, meetings) "," > file
    print "  \"total\": " row3(running - 50, running_budget, running) "}," > file
    print "\"procurement\": " row3(procurement - 100, procurement_budget, procurement) "," > file
    print "\"budget\": {\"carried_in\": " money(carried_in) ", \"initial\": " money(initial) "," > file
    print "  \"supplementary\": " money(supplementary) ", \"carried_out\": " money(carried_out) "}," > file
    print "\"buildings\": {\"none\": true}, \"thrift\": \"严格执行公务接待和公务用车管理规定。\"" > file
    print "}" > file

    file = out "/assessments.json"
    print "{\"indicators\": {" > file
    print "\"management_system\": {\"checks\": {\"finance_rules\": true, \"thrift_rules\": true," > file
    printf "  \"lawful_and_complete\": true, \"carried_out\": %s}, \"evidence\": \"内控制度汇编\"},\n", n % 6 == 2 ? "false" : "true" > file
    printf "\"fund_compliance\": {\"incidents\": %d, \"evidence\": \"财务检查报告\"},\n", n % 11 == 6 ? 2 : 0 > file
    print "\"disclosure\": {\"checks\": {\"content\": true, \"deadline\": true, \"data_true\": true," > file
    printf "  \"data_complete\": true, \"data_accurate\": %s}, \"evidence\": \"门户网站公开截图\"},\n", n % 5 == 1 ? "false" : "true" > file
    printf "\"key_work\": {\"achieved\": \"%d\", \"possible\": \"100\", \"evidence\": \"年度绩效考核通报\"},\n", 99 - n % 13 > file
    print "\"economic_benefit\": {\"points\": \"4.5\", \"reason\": \"主要经济指标完成年初目标的九成以上\"}," > file
    print "\"social_benefit\": {\"points\": \"5\", \"reason\": \"民生项目全部完成\"}," > file
    printf "\"admin_efficiency\": {\"rating\": \"%s\", \"reason\": \"按办件时限核定\"},\n", n % 4 == 3 ? "fair" : "good" > file
    # Two units held no survey: their scores stay intervals until the review decides the line.
    if (n % 15 != 0) printf "\"satisfaction\": {\"achieved\": %d, \"possible\": 200, \"evidence\": \"问卷200份\"}\n", 192 - 2 * (n % 17) > file
    else print "\"satisfaction\": {\"evidence\": \"本年未开展满意度调查\"}" > file
    print "}}" > file

    # Why what the cross-checks find is right nevertheless; most units have nothing to explain.
    file = out "/reasons.json"
    three_public = "\"three_public_cut_yet_up\": \"承办全县现场会，接待批次增加，超支部分已报批\""
    incomplete = "\"incomplete\": \"本年未开展满意度调查\""
    printf "{\"findings\": {%s%s}}\n", n % 9 == 4 ? three_public : "", n % 15 == 0 ? incomplete : "" > file
}
